import { userInfo } from 'node:os';
import { requestControl } from '../../adapters/control-client/request.ts';
import { addGrant, newGrant, readGrants, removeGrants, timeLeft } from '../../adapters/grant-store/grant-store.ts';
import { API, type DaemonStatus } from '../../core/contract/control-api.ts';
import { type Answer, answer } from '../../core/engine/answer.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import type { Grant } from '../../core/policy/grants.ts';
import { visible, visibleShort } from '../../core/text/visible.ts';
import type { ActionName } from '../../core/wire/messages.ts';
import { checkPattern, patternOf } from '../grant-subject.ts';
import { ownHome, workingDirectory } from '../home.ts';
import { findRun, isGoingOn, knownRuns } from '../known-runs.ts';
import { policyHere } from '../policy-here.ts';
import { readQuestion } from '../question.ts';
import { paint } from '../render/paint.ts';
import { print, printJson } from '../render/print.ts';
import { table } from '../render/table.ts';

export type AddOptions = {
  run?: string;
  for?: string;
  always?: boolean;
  pattern?: boolean;
  policy?: string;
  json?: boolean;
};

export async function grantsList({ json = false }: { json?: boolean }): Promise<number> {
  const grants = onStore(() => readGrants(ownHome().grants));
  if (json) printJson(grants);
  else if (grants.length === 0) print('nothing is granted');
  else print(table(['ID', 'ACTION', 'SUBJECT', 'HOLDS', 'SINCE'], grants.map(row), 80));
  return 0;
}

/** Grants, and says what that answers. */
export async function grantsAdd(action: string, subject: readonly string[], options: AddOptions): Promise<number> {
  const { json = false } = options;
  const lasts = await readScope(options);
  const asked = options.pattern ? undefined : readQuestion(action, subject, workingDirectory());
  const pattern = asked ? patternOf(asked) : subject.join(' ');
  checkPattern(action as ActionName, pattern);
  const found = asked && answer(policyHere(options).image, asked);
  const grant = onStore(() => {
    const made = newGrant(action as ActionName, pattern, lasts, userInfo().uid);
    addGrant(ownHome().grants, made);
    return made;
  });
  const rule = found?.effect === 'ask' ? (found.winner?.label ?? null) : null;
  if (json) printJson({ ...grant, answers: rule });
  else
    print(
      [
        `${paint('green', 'granted')} ${row(grant)
          .slice(0, 4)
          .map((cell) => visibleShort(cell, 200))
          .join('  ')}`,
        answered(found),
      ].join('\n'),
    );
  return 0;
}

export async function grantsRevoke(
  id: string | undefined,
  { all = false, json = false }: { all?: boolean; json?: boolean },
): Promise<number> {
  if ((id === undefined) !== all) {
    throw new GatekeeperError('GK_USAGE', { what: 'name one grant, or --all', remedy: 'see: gatekeeper grants list' });
  }
  const removed = onStore(() => removeGrants(ownHome().grants, (grant) => all || grant.id === id));
  if (!all && removed.length === 0) {
    throw new GatekeeperError('GK_GRANT', { what: `there is no grant ${id}`, remedy: 'see: gatekeeper grants list' });
  }
  if (json) printJson(removed);
  else
    for (const grant of removed)
      print(
        `revoked ${row(grant)
          .slice(0, 3)
          .map((cell) => visibleShort(cell, 200))
          .join('  ')}`,
      );
  if (!json && removed.length > 0 && !(await isDaemonThere()))
    print('the daemon does not run: runs that go on keep what they have until it is back (gatekeeper daemon start)');
  return 0;
}

/** @throws GatekeeperError (GK_USAGE, GK_RUN_NOT_FOUND, GK_RUN_ENDED) */
async function readScope({ run, for: duration, always }: AddOptions): Promise<Parameters<typeof newGrant>[2]> {
  if (always) return 'always';
  if (run === undefined) return { ms: readDuration(duration ?? '1h') };
  const found = findRun(await knownRuns(ownHome()), run);
  if (!isGoingOn(found)) throw new GatekeeperError('GK_RUN_ENDED', { where: found.id });
  return { run: found.id };
}

function readDuration(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,6})(s|m|h|d)$/.exec(text) ?? [];
  const ms = Number(count) * UNITS[unit as keyof typeof UNITS];
  if (count !== undefined && ms <= LONGEST_MS) return ms;
  throw new GatekeeperError('GK_USAGE', {
    what: `${text} is no duration up to 30d`,
    remedy: 'write for example 30s, 10m, 2h or 7d',
  });
}

function row(grant: Grant): string[] {
  return [grant.id, grant.action, grant.pattern, holds(grant), grant.at.slice(0, 16).replace('T', ' ')];
}

function holds(grant: Grant): string {
  const { scope } = grant;
  if ('run' in scope) return `run ${scope.run}`;
  const left = timeLeft(grant);
  if (left === undefined) return 'always';
  return left === 0 ? 'ended' : `for ${durationText(Math.ceil(left / 1000) * 1000)}`;
}

function durationText(ms: number): string {
  const [unit, size] = (Object.entries(UNITS) as [string, number][]).findLast(([, one]) => ms >= one) ?? ['s', 1000];
  return `${Math.max(1, Math.floor(ms / size))}${unit}`;
}

/** Which rule it answers, or why it does nothing for now. */
function answered(found: Answer | undefined): string {
  if (!found)
    return paint('dim', 'answers every rule that asks about what the pattern takes; see: gatekeeper policy explain');
  const { winner, effect, defaultLabel } = found;
  if (winner && effect === 'ask')
    return `answers ${paint('bold', visible(winner.label))} ${visibleShort(winner.pattern)}`;
  const who = winner ? visible(winner.label) : defaultLabel ? `the default at ${visible(defaultLabel)}` : 'the default';
  return `${paint('yellow', 'no rule asks')} about it here: ${who} says ${effect}, and a grant answers rules that ask alone`;
}

async function isDaemonThere(): Promise<boolean> {
  try {
    await requestControl<DaemonStatus>(ownHome(), API.status);
    return true;
  } catch {
    return false;
  }
}

function onStore<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw new GatekeeperError('GK_GRANT', { what: cause instanceof Error ? cause.message : String(cause), cause });
  }
}

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const LONGEST_MS = 30 * UNITS.d;
