import type { ActionName, EffectName } from '../wire/messages.ts';
import { canonicalCommand } from './command-text.ts';
import { type HostRequest, matchCommand, matchHost, matchPath, type PathAction } from './decide.ts';
import type { PolicyImage } from './image.ts';
import { isOutOfPlay, resolve } from './precedence.ts';

/** A request as a person asks about it. */
export type Question =
  | { action: PathAction; path: Uint8Array }
  /** `path` is the program's full path, `words` what it is called with, the program included. */
  | { action: 'shell_exec'; path: Uint8Array; words: readonly Uint8Array[]; writablePlace: boolean }
  | ({ action: 'network' } & HostRequest);

export type RuleAccount = {
  rule: number;
  /** `user:my-agent.yaml:7` */
  label: string;
  effect: EffectName;
  pattern: string;
  reason: string;
  override: boolean;
  /** Whether an override, or the answer to what it asks, took it out of consideration. */
  pierced: boolean;
};

export type Explanation = {
  action: ActionName;
  effect: EffectName;
  source: 'rule' | 'default' | 'protection';
  /** The rule that decided; null when the default did. */
  winner: RuleAccount | null;
  /** Where the default is stated (`user:my-agent.yaml:3`); null when nobody stated one. Only set when the default decided. */
  defaultLabel: string | null;
  /** The strictest rule that the winner pierced. */
  pierced: RuleAccount | null;
  /** All rules that match and could have decided, the winner included, strictest first. Of rules of one file that say the same only the first. */
  matching: RuleAccount[];
  log: boolean;
};

/** The verdict on a request, and every rule that had a part in it. */
export function explain(image: PolicyImage, question: Question): Explanation {
  return explainMatches(image, question.action, match(image, question));
}

/** The same for rules that are known to match. */
export function explainMatches(image: PolicyImage, action: ActionName, rules: readonly number[]): Explanation {
  const matching = [...new Set(rules)].sort((a, b) => a - b);
  const decision = resolve(image, action, matching);
  const account = (rule: number): RuleAccount => accountOf(image, rule, matching);
  const stated = image.defaults[action].rule;
  return {
    action,
    effect: decision.effect,
    source: decision.source,
    winner: decision.rule === null ? null : account(decision.rule),
    defaultLabel: decision.source === 'default' && stated !== null ? image.rules[stated]!.label : null,
    pierced: decision.pierced === null ? null : account(decision.pierced),
    matching: matching.map(account).sort((a, b) => STRICTNESS[b.effect] - STRICTNESS[a.effect] || a.rule - b.rule),
    log: decision.log,
  };
}

function match(image: PolicyImage, question: Question): number[] {
  if (question.action === 'network') return matchHost(image, question);
  if (question.action !== 'shell_exec') return matchPath(image, question.action, question.path);
  const base = question.path.subarray(question.path.lastIndexOf(0x2f) + 1);
  const rest = question.words.slice(1);
  return matchCommand(
    image,
    canonicalCommand([base, ...rest]),
    canonicalCommand([question.path, ...rest]),
    question.writablePlace,
  );
}

function accountOf(image: PolicyImage, rule: number, matching: readonly number[]): RuleAccount {
  const { label, effect, pattern, reason, flags } = image.rules[rule]!;
  return {
    rule,
    label,
    effect,
    pattern,
    reason,
    override: (flags & 1) !== 0,
    pierced: isOutOfPlay(image, rule, matching),
  };
}

const STRICTNESS: Record<EffectName, number> = { allow: 0, shadow: 1, ask: 2, deny: 3 };
