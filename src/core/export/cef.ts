import type { AuditRecord } from '../audit/record.ts';
import { visible } from '../text/visible.ts';
import { baseName, type Exported, type ExportOrigin, type Gravity, gravityOf, outcomeOf, uidOf } from './exported.ts';

/**
 * An entry as a line of the Common Event Format, version 0 (ArcSight, "Implementing ArcSight Common Event Format", version 25): seven members of a header
 * between pipes, and keys of its dictionary. Texts are shown as everywhere in gatekeeper, so that none brings a control character along; line ends alone have an escape of the format.
 */
export function cefLine({ record }: Exported, origin: ExportOrigin): string {
  const { action, verdict } = record;
  const name = verdict === undefined ? action : `${action} ${verdict}`;
  const header = ['gatekeeper', 'gatekeeper', origin.version, action, name].map(headerText);
  const pairs = Object.entries({ ...common(record, origin), ...subject(record) })
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => `${key}=${extensionText(String(value))}`);
  return `CEF:0|${header.join('|')}|${SEVERITY[gravityOf(record)]}|${pairs.join(' ')}`;
}

type Pairs = Record<string, string | number | undefined>;

function common(record: AuditRecord, origin: ExportOrigin): Pairs {
  const { action, time, until, verdict, count, program, pid, reason, text, rule, run, agent, policy, hash, source } =
    record;
  return {
    rt: Date.parse(time),
    ...(until === undefined ? {} : { start: Date.parse(time), end: Date.parse(until) }),
    dvchost: origin.host,
    externalId: uidOf(origin, record),
    cat: action,
    act: verdict,
    outcome: outcomeOf(record),
    cnt: verdict === undefined ? undefined : count,
    sproc: program,
    spid: pid,
    reason: reason ?? source,
    msg: text,
    ...labelled('cs1', 'rule', rule),
    ...labelled('cs2', 'run', run),
    ...labelled('cs3', 'policy', policy),
    ...labelled('cs4', 'agent', agent),
    ...labelled('cs5', 'hash', hash),
  };
}

function subject(record: AuditRecord): Pairs {
  const { action, target, target2, command, destination, address, port, method, path, via, known } = record;
  const { bytesUp, bytesDown, status, durationMs, result } = record;
  if (action === 'network' || action === 'connection_closed') {
    const ipv6 = address?.includes(':') ? address : undefined;
    const place = port === undefined ? (destination ?? '') : `${bracketed(destination ?? '')}:${port}`;
    return {
      dhost: destination,
      dst: address?.includes(':') ? undefined : address,
      ...labelled('c6a3', 'destination address', ipv6),
      dpt: via === 'dns' ? undefined : port,
      proto: 'TCP',
      app: via,
      requestMethod: method,
      request: path === undefined ? undefined : `${via === 'inspect' ? 'https' : 'http'}://${place}${path}`,
      in: bytesUp, // from the source to the destination
      out: bytesDown,
      ...labelled('cn1', 'milliseconds', durationMs),
      ...labelled('cs6', 'name known by', known),
    };
  }
  if (action === 'shell_exec')
    return {
      fname: target && baseName(target),
      filePath: target,
      ...labelled('cs6', 'command', command),
      ...ended(result),
    };
  const renamed = target2 === undefined ? target : target2;
  return {
    fname: renamed && baseName(renamed),
    filePath: renamed,
    oldFilePath: target2 === undefined ? undefined : target,
    oldFileName: target2 === undefined ? undefined : target && baseName(target),
    ...labelled('cs6', 'command', command),
    ...labelled('cn1', 'status', status),
    ...ended(result),
  };
}

const ended = (result: string | undefined): Pairs => labelled('flexString1', 'result', result);

const labelled = (key: string, label: string, value: string | number | undefined): Pairs =>
  value === undefined ? {} : { [key]: value, [`${key}Label`]: label };

/** Nothing of a header may end it or the line. */
const headerText = (text: string): string => visible(text).replace(/[\\|]/g, '\\$&');

function extensionText(text: string): string {
  if (PLAIN.test(text)) return text;
  return text
    .split(/(\r|\n)/)
    .map((part) => (part === '\n' ? '\\n' : part === '\r' ? '\\r' : visible(part).replace(/[\\=]/g, '\\$&')))
    .join('');
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** Printable ASCII without backslash and equals sign. */
const PLAIN = /^[ -<>-[\]-~]*$/;
/** Of 0 to 10. */
const SEVERITY: Readonly<Record<Gravity, number>> = { plain: 1, notable: 3, refused: 5, loss: 8 };
