import { isGrant } from '../engine/grants.ts';
import type { PolicyImage } from '../engine/image.ts';
import type { Decision } from '../engine/precedence.ts';
import type { SourceName } from '../wire/messages.ts';

/** What an image says of what was recorded, in the terms of a receipt. */
export type Judgement = {
  /** `ask`: refused, unless a person answers. A private copy cannot be offered, so `shadow` is `deny`. */
  effect: 'allow' | 'ask' | 'deny';
  source: SourceName;
  rule: string | undefined;
  /** The rule's number in the image. */
  index: number | null;
  pierced: string | undefined;
  /** One of them is what the receipt gives; empty, or none at all: it gives none. */
  reasons: readonly string[];
  /** Whether a simulated run passes all the same. */
  lifted: boolean;
  /** The rule is a person's answer to a rule that asks. */
  granted: boolean;
  /** What was looked at besides, of which the receipt does not tell; counted by this name, as what is not decided anew. */
  byContent?: string;
};

/** Why an image cannot be asked what it says of a receipt. */
export type Undecidable = { why: keyof typeof UNDECIDABLE };

export const UNDECIDABLE = {
  redacted: 'a secret was taken out of what was judged',
  shortened: 'what was judged is longer than what a receipt keeps of it',
  'no-input': 'the receipt does not hold what was judged',
  'run-start-missing': 'the log does not hold the start of the run',
} as const;

export const isUndecidable = (found: Judgement | Undecidable): found is Undecidable => 'why' in found;

/** The words of a receipt for what the engine decided. */
export function judgementOf(
  image: PolicyImage,
  decision: Pick<Decision, 'effect' | 'rule' | 'pierced'> & { source: SourceName },
  reason?: string,
): Judgement {
  const { effect, source, rule, pierced } = decision;
  const view = rule === null ? undefined : image.rules[rule];
  const asks = effect === 'ask';
  const told = view?.reason || reason || (asks ? 'ask-unanswered' : effect === 'allow' || view ? '' : 'no-rule');
  return {
    effect: effect === 'shadow' ? 'deny' : effect,
    source: asks ? 'silence' : source,
    rule: view?.label,
    index: rule,
    pierced: pierced === null ? undefined : image.rules[pierced]?.label,
    reasons: told ? [told] : [],
    lifted: source !== 'protection',
    granted: rule !== null && isGrant(image, rule),
  };
}

/** What vouches for a command where no rule speaks, or may be done without one. */
export function vouchedBy(source: SourceName): Judgement {
  return { ...NOTHING, effect: 'allow', source, reasons: [] };
}

/** One that no rule gave. */
export function refusedFor(source: SourceName, reason: string, lifted: boolean): Judgement {
  return { ...NOTHING, effect: 'deny', source, reasons: [reason], lifted };
}

const NOTHING = { rule: undefined, index: null, pierced: undefined, lifted: true, granted: false };
