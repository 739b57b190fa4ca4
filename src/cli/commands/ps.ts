import { statusIfRunning } from '../../adapters/control-client/start-daemon.ts';
import type { RunSummary } from '../../core/contract/control-api.ts';
import { visible } from '../../core/text/visible.ts';
import { ownHome } from '../home.ts';
import { isGoingOn, knownRuns } from '../known-runs.ts';
import { auditTrouble } from '../render/audit-trouble.ts';
import { print, printJson } from '../render/print.ts';
import { table } from '../render/table.ts';

/** Lists runs. A daemon that does not run has none. */
export async function ps({ all = false, json = false }: { all?: boolean; json?: boolean }): Promise<number> {
  const runs = (await knownRuns(ownHome())).filter((run) => all || isGoingOn(run));
  if (json) printJson(runs);
  else if (runs.length === 0) print(all ? 'No runs.' : 'No runs are going on.');
  else print(table(['RUN', 'NAME', 'STATE', 'PID', 'STARTED', 'DENIED', 'POLICY', 'COMMAND'], runs.map(row), 60));
  if (!json) await printTrouble(runs);
  return 0;
}

async function printTrouble(runs: readonly RunSummary[]): Promise<void> {
  const status = await statusIfRunning(ownHome());
  const trouble = status && auditTrouble(status);
  if (trouble) print(trouble);
  for (const policyError of new Set(runs.map((run) => run.policyError))) {
    if (policyError) print(`policy on disk is broken, the last good one is in force: ${visible(policyError)}`);
  }
}

function row(run: RunSummary): string[] {
  return [
    run.id,
    run.name,
    run.state === 'ended' ? `ended ${run.exitStatus ?? '?'}` : run.state,
    run.pid === null ? '-' : String(run.pid),
    run.startedAt.slice(0, 19).replace('T', ' '),
    String(run.denied),
    run.policyName + (run.simulate ? ' (simulated)' : '') + (run.enforce === 'hook' ? ' (enforce: hook)' : ''),
    run.argv.join(' '),
  ];
}
