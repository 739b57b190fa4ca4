import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import type { Run } from './run.ts';
import { isOver } from './run-record.ts';

export function activeRuns(runs: ReadonlyMap<string, Run>): Run[] {
  return [...runs.values()].filter(({ record }) => !isOver(record));
}

/** Directories of hooks that somebody may still load from. */
export const hooksInUse = (runs: ReadonlyMap<string, Run>): ReadonlySet<string> =>
  new Set(activeRuns(runs).flatMap(({ record }) => record.hooks ?? []));

/** One that goes on. @throws GatekeeperError when there is none of that identifier or name, or it is over */
export function activeRun(runs: ReadonlyMap<string, Run>, idOrName: string): Run {
  const run = findRun(runs, idOrName);
  if (run === undefined) throw new GatekeeperError('GK_RUN_NOT_FOUND', { where: idOrName });
  if (isOver(run.record)) throw new GatekeeperError('GK_RUN_ENDED', { where: idOrName });
  return run;
}

/** By identifier, or by name: the one that goes on, else the last one that ended. */
function findRun(runs: ReadonlyMap<string, Run>, idOrName: string): Run | undefined {
  const named = [...runs.values()].filter(({ record }) => record.name === idOrName);
  return runs.get(idOrName) ?? named.find(({ record }) => !isOver(record)) ?? named.at(-1);
}

/** Ended runs are listed for a while; the log knows them for good. */
export function forgetOldRuns(runs: Map<string, Run>): void {
  const over = [...runs.values()].filter(({ record }) => isOver(record));
  for (const { record } of over.slice(0, -KEPT_RUNS)) runs.delete(record.id);
}

const KEPT_RUNS = 200;
