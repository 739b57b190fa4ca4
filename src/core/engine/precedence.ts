import { RULE_FLAG } from '../policy/rule-table.ts';
import { type ActionName, EFFECT, type EffectName, type SourceName } from '../wire/messages.ts';
import { isGrant, isStandingGrant } from './grants.ts';
import type { PolicyImage } from './image.ts';

/** What the policy says of a request. A deny is a value like any other. */
export type Decision = {
  effect: EffectName;
  /** `protection` for a rule of the built-in layer that nothing pierces. */
  source: Extract<SourceName, 'rule' | 'default' | 'protection'>;
  /** Index into the image's rules; null when none matched. */
  rule: number | null;
  /** The strictest rule that the winner pierced, if it is an override that did. */
  pierced: number | null;
  /** Whether a receipt is due. */
  log: boolean;
  /** Files: whether what is denied is to look as if it were not there. */
  hide: boolean;
  /** Spawns: whether helpers of this command are judged by themselves. */
  checkChildren: boolean;
};

/**
 * The strictest of the matching rules that no override pierces; of equals the one with the lowest index. A standing grant takes rules that ask out of
 * play and speaks only where one did. The order of `matching` and repetitions in it do not matter.
 */
export function resolve(image: PolicyImage, action: ActionName, matching: Iterable<number>): Decision {
  const all = [...new Set(matching)].sort((a, b) => a - b);
  const grant = all.find((rule) => isStandingGrant(image, rule));
  const rules = all.filter((rule) => !isGrant(image, rule));
  const left = rules.filter((rule) => !isPierced(image, rule, rules));
  const asked = grant === undefined ? null : strictest(image, left.filter(asks(image)));
  const winner = strictest(image, asked === null ? left : left.filter((rule) => !asks(image)(rule)));
  if (asked !== null && (winner === null || image.rules[winner]!.effect === 'allow'))
    return byGrant(image, grant!, asked);
  if (winner === null) return byDefault(image, action);
  const { effect, flags } = image.rules[winner]!;
  return {
    effect,
    source: flags & RULE_FLAG.protection ? 'protection' : 'rule',
    rule: winner,
    pierced: strictest(
      image,
      rules.filter((rule) => pierces(image, winner, rule)),
    ),
    log: EFFECT[effect] >= EFFECT.ask || (flags & RULE_FLAG.log) !== 0,
    hide: effect === 'deny' && left.some((rule) => (image.rules[rule]!.flags & RULE_FLAG.hide) !== 0),
    checkChildren: (flags & RULE_FLAG.checkChildren) !== 0,
  };
}

const asks = (image: PolicyImage) => (rule: number) => image.rules[rule]!.effect === 'ask';

/** What it answers is what it pierced. Whether helpers are judged by themselves is for either to demand. */
function byGrant(image: PolicyImage, grant: number, asked: number): Decision {
  const flags = image.rules[grant]!.flags | image.rules[asked]!.flags;
  return {
    effect: 'allow',
    source: 'rule',
    rule: grant,
    pierced: asked,
    log: (image.rules[grant]!.flags & RULE_FLAG.log) !== 0,
    hide: false,
    checkChildren: (flags & RULE_FLAG.checkChildren) !== 0,
  };
}

/** Whether `one` is an override that takes `other` out of consideration. */
export function pierces(image: PolicyImage, one: number, other: number): boolean {
  const strong = image.rules[one]!;
  const weak = image.rules[other]!;
  if ((strong.flags & RULE_FLAG.override) === 0 || EFFECT[strong.effect] >= EFFECT[weak.effect]) return false;
  return ((image.files[strong.file]!.pierces >> BigInt(weak.file)) & 1n) === 1n;
}

export function isPierced(image: PolicyImage, rule: number, matching: readonly number[]): boolean {
  return matching.some((other) => pierces(image, other, rule));
}

/** Whether it is of those that decide nothing: pierced, answered, or a grant that ended. */
export function isOutOfPlay(image: PolicyImage, rule: number, matching: readonly number[]): boolean {
  if (isGrant(image, rule)) return !isStandingGrant(image, rule);
  const answered = image.rules[rule]!.effect === 'ask' && matching.some((other) => isStandingGrant(image, other));
  return answered || isPierced(image, rule, matching);
}

function strictest(image: PolicyImage, rules: readonly number[]): number | null {
  let best: number | null = null;
  for (const rule of rules) {
    if (best === null || EFFECT[image.rules[rule]!.effect] > EFFECT[image.rules[best]!.effect]) best = rule;
  }
  return best;
}

/** Helpers inherit only from a rule that named the command, so a default never vouches for them. */
function byDefault(image: PolicyImage, action: ActionName): Decision {
  const { effect, log } = image.defaults[action];
  return {
    effect,
    source: 'default',
    rule: null,
    pierced: null,
    log: EFFECT[effect] >= EFFECT.ask || log,
    hide: false,
    checkChildren: true,
  };
}
