import { countOf, type RecordedDecision } from './recorded.ts';
import type { Outcome } from './replay.ts';

export type Difference = { record: RecordedDecision; found: Extract<Outcome, { kind: 'differs' }> };

/** Which entries lack an image, and why. */
export type MissingImage = {
  image: string;
  why: string;
  first: number;
  last: number;
  entries: number;
  decisions: number;
};

/** Counts of a replay. All are of decisions, repetitions included, but `entries`. */
export class Tally {
  entries = 0;
  decisions = 0;
  agreed = 0;
  differed = 0;
  /** By what decided, where that was not the policy and the image bears it out; part of `agreed`. */
  readonly agreedBy = new Map<string, number>();
  /** By what no receipt tells enough of. */
  readonly notDecided = new Map<string, number>();
  readonly missing = new Map<string, MissingImage>();

  take(record: RecordedDecision, outcome: Outcome): void {
    const count = countOf(record);
    this.decisions += count;
    if (outcome.kind === 'differs') this.differed += count;
    else if (outcome.kind === 'not-decided') add(this.notDecided, outcome.why, count);
    else {
      this.agreed += count;
      if (outcome.by) add(this.agreedBy, outcome.by, count);
    }
  }

  withoutImage(record: RecordedDecision, why: string): void {
    const count = countOf(record);
    const image = record.policy ?? 'none';
    this.decisions += count;
    const known = this.missing.get(image) ?? this.missing.get(OTHERS);
    if (known) {
      Object.assign(known, { last: record.seq, entries: known.entries + 1, decisions: known.decisions + count });
      return;
    }
    const name = this.missing.size < MOST_IMAGES ? image : OTHERS;
    this.missing.set(name, { image: name, why, first: record.seq, last: record.seq, entries: 1, decisions: count });
  }
}

export function add(counts: Map<string, number>, name: string, count: number): void {
  counts.set(name, (counts.get(name) ?? 0) + count);
}

const OTHERS = '(others)';
const MOST_IMAGES = 1000;
