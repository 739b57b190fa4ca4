import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readRecords } from '../adapters/audit-log/read.ts';
import type { AuditRecord } from '../core/audit/record.ts';
import { PolicyImage } from '../core/engine/image.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { auditDirectory } from './audit-directory.ts';
import { recordFilter } from './commands/audit-tail.ts';
import { ownHome } from './home.ts';

/** A run as the audit log tells of it, which knows the ended ones for good. */
export type LoggedRun = {
  id: string;
  name: string;
  ended: boolean;
  policy: string | undefined;
  records: AuditRecord[];
};

/**
 * The run that a person means: by identifier, by name (the latest of that name, one that goes on before ended ones), or by the beginning of an
 * identifier if only one begins so; the latest of all when none is named.
 * @param keep which of its records are wanted
 * @throws GatekeeperError (GK_AUDIT_MISSING, GK_RUN_NOT_FOUND)
 */
export function findLoggedRun(wanted: string | undefined, keep: (record: AuditRecord) => boolean): LoggedRun {
  const isMeant = recordFilter(wanted, false);
  const runs = new Map<string, LoggedRun>();
  for (const records of readRecords(auditDirectory())) {
    for (const record of records) if (isMeant(record)) take(runs, record, keep, wanted === undefined);
  }
  const all = [...runs.values()];
  if (wanted === undefined) return all.at(-1) ?? notFound('no run was ever started');
  const named = all.filter(({ name }) => name === wanted);
  const found = runs.get(wanted) ?? named.findLast(({ ended }) => !ended) ?? named.at(-1);
  if (found) return found;
  if (all.length === 1) return all[0]!;
  return notFound(all.length > 1 ? `${all.length} runs begin with ${wanted}` : `there is no run ${wanted}`);
}

/** The policy that holds in a run, or held when it ended, with everything that its command line said. */
export function imageOfRun(wanted: string): PolicyImage {
  const { id, policy = '' } = findLoggedRun(wanted, () => false);
  const image = keptImage(policy);
  if (typeof image !== 'string') return image;
  throw new GatekeeperError('GK_RUN_NOT_FOUND', { what: `the policy of run ${id} ${image}`, where: imagePath(policy) });
}

/** The policy that a receipt names (`sha256:…`), or why it cannot be had. */
export function keptImage(policy: string): PolicyImage | 'is not there' | 'is not what it was' {
  const digest = policy.replace(/^sha256:/, '');
  try {
    const bytes = readFileSync(imagePath(policy));
    if (createHash('sha256').update(bytes).digest('hex') !== digest) return 'is not what it was';
    return PolicyImage.open(bytes, digest);
  } catch {
    return 'is not there';
  }
}

const imagePath = (policy: string): string => `${ownHome().images}/${policy.replace(/^sha256:/, '')}.gkimg`;

/** `latest`: only the last run is wanted, so the records of others are let go. */
function take(
  runs: Map<string, LoggedRun>,
  record: AuditRecord,
  keep: (record: AuditRecord) => boolean,
  latest: boolean,
): void {
  const { run: id, agent, action, policy } = record;
  if (id === undefined) return;
  let run = runs.get(id);
  if (!run) {
    if (action !== 'run_create') return;
    if (latest) runs.clear();
    run = { id, name: agent ?? id, ended: false, policy, records: [] };
    runs.set(id, run);
  }
  if (action === 'policy_change') run.policy = policy;
  if (action === 'run_end' || action === 'run_lost') run.ended = true;
  if (keep(record)) run.records.push(record);
}

function notFound(what: string): never {
  throw new GatekeeperError('GK_RUN_NOT_FOUND', { what });
}
