import type { EgressReason } from '../egress/reason.ts';
import type { EffectName, SourceName } from '../wire/messages.ts';

/** What the decision function says of a destination; without a name it speaks of the bare address. */
export type HostVerdict = { effect: EffectName; source: SourceName; rule: number | null; pierced: number | null };

/** `lifted`: a simulated run passes all the same. `own`: the address that it is about is one of this machine's. */
export type Word = HostVerdict & { reason: EgressReason | null; lifted: boolean; own?: true };

/** Egress knows two outcomes: what would have to be asked, or kept in a private copy, is denied until somebody can answer. */
export function spoken(verdict: HostVerdict): Word {
  const { effect, source, rule, pierced } = verdict;
  if (effect === 'ask')
    return { effect: 'deny', source: 'silence', rule, pierced, reason: 'ask-unanswered', lifted: true };
  return {
    effect: effect === 'allow' ? 'allow' : 'deny',
    ...{ source, rule, pierced },
    reason: source === 'rule' ? null : 'no-rule',
    lifted: source !== 'protection',
  };
}

/** No rule lifts it. */
export function guarded(reason: EgressReason): Word {
  return { effect: 'deny', source: 'protection', rule: null, pierced: null, reason, lifted: false };
}

/** So it is unless a rule says otherwise. */
export function byDefault(reason: EgressReason): Word {
  return { ...guarded(reason), source: 'default', lifted: true };
}

export function internal(reason: EgressReason): Word {
  return { effect: 'deny', source: 'internal', rule: null, pierced: null, reason, lifted: false };
}
