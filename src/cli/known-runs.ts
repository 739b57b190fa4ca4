import { requestControl } from '../adapters/control-client/request.ts';
import { API, type ListRunsResponse, type RunSummary } from '../core/contract/control-api.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';

/** All runs that the daemon knows; none when it does not run. */
export async function knownRuns(layout: HomeLayout): Promise<RunSummary[]> {
  try {
    return (await requestControl<ListRunsResponse>(layout, API.listRuns)).runs;
  } catch (error) {
    if (error instanceof GatekeeperError && error.code === 'GK_DAEMON_NOT_RUNNING') return [];
    throw error;
  }
}

/**
 * The run that a person means: by identifier, by name (the latest of that name, one that is going on before ended ones), or by the
 * beginning of an identifier if only one begins so.
 */
export function findRun(runs: readonly RunSummary[], wanted: string): RunSummary {
  const exact = runs.find(({ id }) => id === wanted);
  if (exact) return exact;
  const named = runs.filter(({ name }) => name === wanted);
  const byName = named.findLast(isGoingOn) ?? named.at(-1);
  if (byName) return byName;
  const begun = wanted === '' ? [] : runs.filter(({ id }) => id.startsWith(wanted));
  if (begun.length === 1) return begun[0]!;
  const what = begun.length > 1 ? `${begun.length} runs begin with ${wanted}` : `there is no run ${wanted}`;
  throw new GatekeeperError('GK_RUN_NOT_FOUND', { what });
}

export const isGoingOn = ({ state }: RunSummary): boolean => state === 'starting' || state === 'running';
