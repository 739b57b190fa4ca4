import { realpathSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunSummary } from '../core/contract/control-api.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import { isGoingOn, knownRuns } from './known-runs.ts';

/** `taken`: its next connection obeys the change; `waiting`: not yet; `other`: it is under another policy; `broken`: it keeps the last good one. */
export type Uptake = { id: string; name: string; state: 'taken' | 'waiting' | 'other' | 'broken'; policy?: string };

/** The runs that go on, as they are before the user's policy changes. A daemon that does not answer stands in nobody's way. */
export async function runsBefore(layout: HomeLayout): Promise<RunSummary[]> {
  return (await knownRuns(layout).catch(() => [])).filter(isGoingOn);
}

/** Waits a moment for runs under the user's own policy to have another image than before. */
export async function takenUp(layout: HomeLayout, before: readonly RunSummary[]): Promise<Uptake[]> {
  for (let attempt = 0; ; attempt++) {
    const now = before.length === 0 ? [] : await runsBefore(layout);
    const found = now.flatMap((run) => {
      const earlier = before.find(({ id }) => id === run.id);
      return earlier ? [uptakeOf(layout, earlier, run)] : [];
    });
    if (attempt >= ATTEMPTS || found.every(({ state }) => state !== 'waiting')) return found;
    await sleep(PAUSE_MS);
  }
}

function uptakeOf({ userPolicy }: HomeLayout, before: RunSummary, { id, name, ...now }: RunSummary): Uptake {
  if (now.policy !== undefined && !isSameFile(now.policy, userPolicy)) {
    const state = now.policyDigest === before.policyDigest ? 'other' : 'taken';
    return { id, name, state, policy: now.policy };
  }
  if (now.policyError !== undefined) return { id, name, state: 'broken' };
  return { id, name, state: now.policyDigest === before.policyDigest ? 'waiting' : 'taken' };
}

function isSameFile(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return one === other;
  }
}

const ATTEMPTS = 200;
const PAUSE_MS = 50;
