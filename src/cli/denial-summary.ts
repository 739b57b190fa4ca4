import { setTimeout as sleep } from 'node:timers/promises';
import { tailRecords } from '../adapters/audit-log/read.ts';
import { requestControl } from '../adapters/control-client/request.ts';
import { type Attempt, suggestRules } from '../core/analysis/net-suggest.ts';
import { API, type ListRunsResponse, type RunSummary } from '../core/contract/control-api.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import { searchDomains } from './search-domains.ts';

/** What a run that has just ended was denied, in a line, and in another how to allow the connections among it; undefined when nothing was denied, or nobody can say. */
export async function denialSummary(layout: HomeLayout, id: string): Promise<string | undefined> {
  const summary = await endedRun(layout, id);
  if (!summary || summary.denied === 0) return undefined;
  const hint = summary.deniedByAction?.['network'] ? networkHint(summary, lastRefusals(layout, id)) : undefined;
  return hint === undefined ? summaryLine(summary) : `${summaryLine(summary)}\ngatekeeper: ${hint}`;
}

/** A command that works for what no rule allowed; undefined when there is nothing of the kind. */
export function networkHint({ id, policy }: RunSummary, refusals: readonly Attempt[]): string | undefined {
  const { rules } = suggestRules(refusals, { searchDomains: searchDomains() });
  const [first] = rules;
  if (!first) return undefined;
  if (rules.length > 1) return `to allow these destinations: gatekeeper net suggest ${id}`;
  const { destinations, assumed } = first;
  const guess = assumed ? ' (the port is a guess: only the name was asked for)' : '';
  return policy === undefined
    ? `to allow it: gatekeeper net allow ${destinations.join(' ')}${guess}`
    : `to allow it in a run: ${destinations.map((destination) => `--net-allow ${destination}`).join(' ')}`;
}

/** Of a long run only the last ones: it is about what to type next. */
function lastRefusals({ audit }: HomeLayout, id: string): Attempt[] {
  try {
    return tailRecords(audit, LAST_RECORDS).filter(({ run, action }) => run === id && action === 'network');
  } catch {
    return [];
  }
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

const LAST_RECORDS = 5000;
const ATTEMPTS = 25;
const PAUSE_MS = 20;
