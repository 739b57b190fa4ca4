import type { ActionName } from '../wire/messages.ts';
import type { Judgement } from './judgement.ts';
import { isUndecidable } from './judgement.ts';
import { countOf, type RecordedDecision } from './recorded.ts';
import { isBuiltIn, judge, lostFrom, type RecordedImage, type RunFacts, replay } from './replay.ts';

export type Effect = Judgement['effect'];

/** What another policy would have changed, for one kind of decision. */
export type Change = {
  action: ActionName;
  before: { effect: Effect; rule: string };
  after: { effect: Effect; rule: string };
  /** Decisions, repetitions included. */
  count: number;
  /** In how many runs; no more than so many are told apart. */
  runs: number;
  /** Some of what was asked for, each once, and the entry that tells of the first. */
  examples: string[];
  seq: number;
};

/** What a candidate says of a decision that was recorded. */
export type Verdicts =
  | { kind: 'same' }
  | { kind: 'changes'; before: Change['before']; after: Change['after'] }
  | { kind: 'not-decided'; why: string };

/**
 * @param own the image that decided; where it is not there, or differs, what the receipt lost cannot be told apart from what the candidate changes
 */
export function compareWith(
  candidate: RecordedImage,
  own: RecordedImage | undefined,
  record: RecordedDecision,
  facts: RunFacts,
): Verdicts {
  const vouched = VOUCHING.has(record.source);
  if (isBuiltIn(record) && !vouched)
    return LEANS.has(record.reason ?? '') ? { kind: 'not-decided', why: record.reason! } : SAME;
  const lost = lostFrom(record);
  if (lost && (!own || replay(own, record, facts).kind !== 'agrees')) return { kind: 'not-decided', why: lost };
  const found = judge(candidate.image, record, facts);
  if (isUndecidable(found)) return { kind: 'not-decided', why: found.why };
  if (vouched && found.rule === undefined) return SAME;
  const before = effectOf(record);
  if (found.effect === before || isAnswered(record, found)) return SAME;
  const rule = record.rule ?? record.source;
  return {
    kind: 'changes',
    before: { effect: before, rule },
    after: { effect: found.effect, rule: found.rule ?? found.source },
  };
}

function effectOf({ verdict, source }: RecordedDecision): Effect {
  if (verdict === 'allow') return 'allow';
  return source === 'silence' ? 'ask' : 'deny';
}

/** What a person granted then would be granted again. */
const isAnswered = ({ rule = '' }: RecordedDecision, { effect }: Judgement): boolean =>
  effect === 'ask' && rule.startsWith(GRANT);

/** Groups changes; what it keeps is bounded, whatever the log holds. */
export class Changes {
  readonly #groups = new Map<string, Change & { seen: Set<string> }>();

  add(record: RecordedDecision, { before, after }: Extract<Verdicts, { kind: 'changes' }>): void {
    const { action } = record;
    const wanted = JSON.stringify([action, before.effect, after.effect, before.rule, after.rule]);
    const full = !this.#groups.has(wanted) && this.#groups.size >= MOST_GROUPS;
    const rest = { before: { ...before, rule: OTHERS }, after: { ...after, rule: OTHERS } };
    const key = full ? JSON.stringify([action, before.effect, after.effect, OTHERS]) : wanted;
    let group = this.#groups.get(key);
    if (!group) {
      const sides = full ? rest : { before, after };
      group = { action, ...sides, count: 0, runs: 0, examples: [], seq: record.seq, seen: new Set() };
      this.#groups.set(key, group);
    }
    group.count += countOf(record);
    if (record.run !== undefined && group.seen.size < MOST_RUNS) group.seen.add(record.run);
    const example = subjectOf(record).slice(0, LONGEST);
    if (group.examples.length < MOST_EXAMPLES && !group.examples.includes(example)) group.examples.push(example);
  }

  /** The most frequent first. */
  list(): Change[] {
    return [...this.#groups.values()]
      .map(({ seen, ...change }) => ({ ...change, runs: seen.size }))
      .sort((one, other) => other.count - one.count || one.seq - other.seq);
  }
}

/** What was asked for, as a person would name it. */
export function subjectOf(record: RecordedDecision): string {
  const { command, target = '', destination, port, method, path = '' } = record;
  if (destination === undefined) return command ?? target;
  const host = destination.includes(':') ? `[${destination}]` : destination;
  const place = port === undefined ? destination : `${host}:${port}`;
  return method === undefined ? place : `${method} ${place}${path}`;
}

/** Guards that look at the policy too, along with what is on no receipt. */
const LEANS: ReadonlySet<string> = new Set([
  'denied-identity',
  'move-loosens',
  'loader-program',
  'bind-address',
  'secret-in-clear',
  'sni-mismatch',
  'sni-missing',
  'not-inspected',
]);
/** They speak where no rule does, and only there. */
const VOUCHING: ReadonlySet<string> = new Set(['inherited', 'typed', 'launcher']);
const SAME: Verdicts = { kind: 'same' };
/** How labels of grants begin (engine/end-grants.ts). */
const GRANT = 'grants:';
const OTHERS = '(others)';
export const MOST_RUNS = 1000;
const MOST_GROUPS = 2000;
const MOST_EXAMPLES = 3;
const LONGEST = 200;
