import type { AuditLog } from '../adapters/audit-log/audit-log.ts';
import type { DaemonStatus } from '../core/contract/control-api.ts';
import type { Run } from './run.ts';
import { activeRuns } from './runs.ts';

export type StatusOf = {
  log: Pick<AuditLog, 'head' | 'failure' | 'unrecorded'>;
  runs: ReadonlyMap<string, Run>;
} & Pick<
  DaemonStatus,
  | 'version'
  | 'startedAt'
  | 'proxyPort'
  | 'transparentPort'
  | 'publicKeyFingerprint'
  | 'auditOnFailure'
  | 'anchorErrors'
  | 'auditFindings'
>;

/** What the daemon tells of itself. */
export function daemonStatus({ log, runs, anchorErrors = [], auditFindings = [], ...known }: StatusOf): DaemonStatus {
  const { head, failure, unrecorded } = log;
  const active = activeRuns(runs);
  const policyError = active.find((run) => run.policyError !== undefined)?.policyError;
  return {
    ...known,
    pid: process.pid,
    runs: active.length,
    auditEntries: head.seq,
    auditHead: head.hash,
    ...(anchorErrors.length === 0 ? {} : { anchorErrors }),
    ...(auditFindings.length === 0 ? {} : { auditFindings }),
    ...(policyError === undefined ? {} : { policyError }),
    ...(failure && { auditError: failure.what, auditRemedy: failure.remedy, unrecorded }),
  };
}
