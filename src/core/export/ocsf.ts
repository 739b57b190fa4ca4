import type { AuditRecord } from '../audit/record.ts';
import { type Exported, type ExportOrigin, type Gravity, gravityOf, outcomeOf, uidOf } from './exported.ts';
import { activityOf } from './ocsf-activity.ts';

/**
 * An entry as an event of the Open Cybersecurity Schema Framework, 1.3.0 (schema.ocsf.io): File System, Process, Network, HTTP or DNS Activity for decisions, Application Lifecycle for
 * everything else. What the schema has no place for is in `unmapped`, and the whole line in `raw_data`, so that a receiver can still check hash and signature.
 */
export function ocsfEvent({ record, line }: Exported, origin: ExportOrigin): Record<string, unknown> {
  const { classUid, activityId, activityName, fields, used } = activityOf(record, origin);
  const time = Date.parse(record.time);
  const { verdict, count, until, reason } = record;
  return {
    class_uid: classUid,
    category_uid: Math.floor(classUid / 1000),
    activity_id: activityId,
    ...(activityName === undefined ? {} : { activity_name: activityName }),
    type_uid: classUid * 100 + activityId,
    time,
    ...(verdict === undefined || count === undefined
      ? {}
      : { count, start_time: time, end_time: Date.parse(until ?? record.time) }),
    severity_id: SEVERITY[gravityOf(record)],
    ...statusOf(record),
    ...(reason === undefined ? {} : { status_detail: reason }),
    message: messageOf(record),
    metadata: metadataOf(record, origin),
    device: deviceOf(origin),
    ...(verdict === undefined ? {} : controlOf(record)),
    ...fields,
    unmapped: restOf(record, used),
    raw_data: line,
  };
}

function statusOf(record: AuditRecord): object {
  const outcome = outcomeOf(record);
  if (outcome === undefined) return { status_id: 0 };
  const { result } = record;
  return {
    status_id: outcome === 'success' ? 1 : 2,
    ...(result === undefined || result === 'ok' ? {} : { status_code: result }),
  };
}

function metadataOf(record: AuditRecord, origin: ExportOrigin): object {
  return {
    version: '1.3.0',
    product: { name: 'gatekeeper', vendor_name: 'gatekeeper', version: origin.version },
    profiles: record.verdict === undefined ? ['host'] : ['host', 'security_control'],
    uid: uidOf(origin, record),
    sequence: record.seq,
    log_name: origin.log,
    original_time: record.time,
    ...(record.run === undefined ? {} : { correlation_uid: record.run }),
  };
}

export const deviceOf = ({ host }: ExportOrigin): object => ({
  hostname: host,
  type_id: 0,
  os: { name: 'Linux', type_id: 200 },
});

/** What the profile Security Control adds: what was done about it, and by which rule. */
function controlOf({ verdict, rule, reason, policy }: AuditRecord): object {
  return {
    action_id: verdict === 'deny' ? 2 : 1,
    // Allowed, Blocked; and Detected, which is what a simulated run does about it.
    disposition_id: verdict === 'deny' ? 2 : verdict === 'allow' ? 1 : 15,
    ...(rule === undefined ? {} : { firewall_rule: { name: rule, ...(reason === undefined ? {} : { desc: reason }) } }),
    ...(policy === undefined ? {} : { policy: { uid: policy } }),
  };
}

function messageOf({ action, verdict, target, destination, command, text, port }: AuditRecord): string {
  const place = destination === undefined || port === undefined ? destination : `${destination}:${port}`;
  return [verdict, action, place ?? command ?? target ?? text].filter((part) => part !== undefined).join(' ');
}

/** Members of the entry that nothing above has. */
function restOf(record: AuditRecord, used: readonly string[]): Record<string, unknown> {
  const rest: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record)) {
    if (value !== undefined && !PLACED.has(name) && !used.includes(name)) rest[name] = value;
  }
  return rest;
}

/** Informational, Low, Medium, High. */
const SEVERITY: Readonly<Record<Gravity, number>> = { plain: 1, notable: 2, refused: 3, loss: 4 };
const PLACED: ReadonlySet<string> = new Set([
  ...['policy', 'pid', 'program', 'reason', 'result', 'rule', 'run', 'seq', 'tid', 'time', 'until'],
]);
