import { visible, visibleShort } from '../../core/text/visible.ts';
import { isMetadata } from '../how-to-allow.ts';
import type { NetEffect } from '../net-effect.ts';
import type { Uptake } from '../taken-up.ts';
import { paint } from './paint.ts';

export type NetChange = 'allow' | 'deny' | 'remove';
export type NetResult = { destination: string; changed: boolean; effect: NetEffect | null };

/** What became of one destination; further lines when the change does not have the effect that its author expects. */
export function changeLines(change: NetChange, { destination, changed, effect }: NetResult): string[] {
  const done = changed ? paint('green', DONE[change]) : change === 'remove' ? 'not there' : `${DONE[change]} already`;
  const line = `${done}  ${visible(destination)}`;
  if (change === 'remove') return [line, ...(effect ? remaining(effect, changed) : [])];
  const careful = change === 'allow' ? warnings(destination, effect) : [];
  if (!effect || (effect.verdict === 'allow') === (change === 'allow')) return [line, ...careful];
  return [
    line,
    ...careful,
    `  ${paint('yellow', 'without effect here')}: ${speaker(effect)}${because(effect)}`,
    ...(effect.place ? [paint('dim', `  at ${visible(effect.place)}`)] : []),
    ...(effect.hint ? [`  to allow: ${visible(effect.hint)}`] : []),
  ];
}

function warnings(destination: string, effect: NetEffect | null): string[] {
  const careful = paint('yellow', 'careful');
  const lines = isMetadata(destination) ? [`  ${careful}: clouds hand out credentials at this address`] : [];
  if (effect?.undone)
    lines.push(`  ${careful}: ${visible(effect.undone)} let only some requests through; now all of them pass`);
  return lines;
}

/** Which of the runs that go on obey from now on. */
export function uptakeLines(runs: readonly Uptake[]): string[] {
  const named = (state: Uptake['state']): string =>
    runs
      .filter((run) => run.state === state)
      .map(({ name, policy }) => visible(policy === undefined ? name : `${name} (--policy ${policy})`))
      .join(', ');
  const lines = (Object.keys(UPTAKE) as Uptake['state'][])
    .filter((state) => named(state) !== '')
    .map((state) => `${UPTAKE[state]}: ${named(state)}`);
  return lines.length > 0 ? lines : ['no run is going on; the next one has it'];
}

/** After a rule is gone: what holds now. */
function remaining(effect: NetEffect, changed: boolean): string[] {
  const { verdict, rule, place } = effect;
  if (rule === null || effect.pattern === null) return [];
  const still = changed ? 'still' : 'here';
  return [
    `  ${still} ${verdict === 'allow' ? 'allowed' : verdict === 'ask' ? 'asked about' : 'denied'}: ${speaker(effect)}`,
    ...(place ? [paint('dim', `  at ${visible(place)}`)] : []),
  ];
}

/** As `policy explain` names a rule. */
function speaker({ rule, pattern, verdict }: NetEffect): string {
  if (pattern === null) return `the default${rule === null ? '' : ` at ${visible(rule)}`} says ${verdict}`;
  return `${paint('bold', visible(rule ?? '?'))} ${verdict} ${visibleShort(pattern)}`;
}

const because = ({ reason }: NetEffect): string => (reason === null ? '' : `: ${visible(reason)}`);

const DONE = { allow: 'allowed', deny: 'denied', remove: 'removed' } as const;
const UPTAKE = {
  taken: 'from the next connection on in',
  waiting: 'not yet in',
  broken: 'not in, since a file of the policy is broken (see: gatekeeper policy check)',
  other: 'not in, since another policy holds there',
} as const;
