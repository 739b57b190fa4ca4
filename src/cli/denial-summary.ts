import { setTimeout as sleep } from 'node:timers/promises';
import { requestControl } from '../adapters/control-client/request.ts';
import { API, type ListRunsResponse, type RunSummary } from '../core/contract/control-api.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';

/** One line about what a run that has just ended was denied; undefined when nothing was, or nobody can say. */
export async function denialSummary(layout: HomeLayout, id: string): Promise<string | undefined> {
  const summary = await endedRun(layout, id);
  return summary && summary.denied > 0 ? summaryLine(summary) : undefined;
}

export function summaryLine({ id, denied, deniedByAction = {}, simulate }: RunSummary): string {
  const parts = Object.entries(deniedByAction)
    .filter(([, count]) => count > 0)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([action, count]) => `${count} ${action}`);
  const what = simulate ? 'would have been denied' : 'denied';
  return `gatekeeper: ${denied} ${what}${parts.length ? ` (${parts.join(', ')})` : ''}; see: gatekeeper audit tail --run ${id}`;
}

/** The daemon may still be reading the last records when the supervisor has gone. */
async function endedRun(layout: HomeLayout, id: string): Promise<RunSummary | undefined> {
  let found: RunSummary | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const runs = await requestControl<ListRunsResponse>(layout, API.listRuns);
      found = runs.runs.find((run) => run.id === id);
    } catch {
      return undefined;
    }
    if (found?.state === 'ended' || found?.state === 'lost') return found;
    await sleep(PAUSE_MS);
  }
  return found;
}

const ATTEMPTS = 25;
const PAUSE_MS = 20;
