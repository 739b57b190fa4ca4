import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readRecords } from '../../src/adapters/audit-log/read.ts';
import { requestControl } from '../../src/adapters/control-client/request.ts';
import type { AuditRecord } from '../../src/core/audit/record.ts';
import { API, type ListRunsResponse, type RunSummary } from '../../src/core/contract/control-api.ts';
import { bare, type Outcome } from './bare.ts';
import { type Hooks, wantedHooks, withHooks } from './hooks.ts';
import { inSchema } from './record-schema.ts';
import type { GatekeeperOptions, Sandbox } from './sandbox.ts';

export type InsideOptions = GatekeeperOptions & {
  /** A preset's name, or the text of a policy (recognised by its line ends). */
  policy?: string | undefined;
  /** Further options of `gatekeeper run`. */
  options?: readonly string[] | undefined;
  /** What the suite was asked for, unless a test says otherwise. */
  hooks?: Hooks | undefined;
};

export type InsideOutcome = Outcome & {
  /** What the daemon knows of the run; undefined when it never came to be. */
  run: RunSummary | undefined;
  /** The run's records in the audit log, in order. */
  receipts: AuditRecord[];
};

/** Runs a command in the sandbox's project under gatekeeper, waits until its log is complete, and returns both. */
export async function inside(
  sandbox: Sandbox,
  argv: readonly string[],
  { policy, options = [], hooks = wantedHooks(), ...rest }: InsideOptions = {},
): Promise<InsideOutcome> {
  const layer = withHooks(sandbox, hooks);
  const name = `test-${process.pid}-${++runs}`;
  const chosen = policy === undefined ? [] : ['--policy', policyReference(sandbox, policy, name)];
  const outcome = await sandbox.gatekeeper(
    ['run', '--name', name, ...chosen, ...layer.options, ...options, '--', ...layer.through, ...argv],
    rest,
  );
  const run = await endedRun(sandbox, name);
  return { ...outcome, run, receipts: run ? await receiptsOf(sandbox, run.id) : [] };
}

/** The same command without gatekeeper, in the same directory with the same environment. */
export function outside(sandbox: Sandbox, argv: readonly string[], options: GatekeeperOptions = {}): Promise<Outcome> {
  return bare(argv, { ...options, cwd: options.cwd ?? sandbox.project, user: sandbox.user });
}

/** Receipts of denials: what a test usually asks for. */
export const denials = (receipts: readonly AuditRecord[]): AuditRecord[] =>
  receipts.filter(({ verdict }) => verdict === 'deny');

/** A policy's file lies in the sandbox's root, out of the project and of gatekeeper's own home. */
function policyReference(sandbox: Sandbox, policy: string, name: string): string {
  if (!policy.includes('\n')) return policy;
  const path = join(sandbox.root, `${name}.yaml`);
  writeFileSync(path, policy);
  if (sandbox.user) chownSync(path, sandbox.user.uid, sandbox.user.gid);
  return path;
}

async function endedRun(sandbox: Sandbox, name: string): Promise<RunSummary | undefined> {
  for (let waited = 0; waited < SETTLE_MS; waited += POLL_MS) {
    const listed = await requestControl<ListRunsResponse>(sandbox.layout, API.listRuns).catch(() => ({ runs: [] }));
    const run = listed.runs.find((candidate) => candidate.name === name);
    if (run === undefined || run.state === 'ended' || run.state === 'lost') return run;
    await sleep(POLL_MS);
  }
  throw new Error(`the run ${name} does not end`);
}

/** The record of the end is the last one of a run, but for connections that it left open. */
async function receiptsOf(sandbox: Sandbox, id: string): Promise<AuditRecord[]> {
  for (let waited = 0; ; waited += POLL_MS) {
    const records = inSchema([...readRecords(sandbox.layout.audit)].flat()).filter(({ run }) => run === id);
    if (records.some(({ action }) => action === 'run_end' || action === 'run_lost')) return records;
    if (waited >= SETTLE_MS) throw new Error(`the log of run ${id} does not come to its end`);
    await sleep(POLL_MS);
  }
}

let runs = 0;
const SETTLE_MS = 10_000;
const POLL_MS = 20;
