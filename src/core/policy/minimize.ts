import type { Dfa } from './dfa.ts';
import { ListNumbering } from './int-list.ts';

/**
 * Merges states that no input tells apart. Small automata are brought to the minimum (Moore's refinement); in large ones, which consist
 * nearly always of long literal names that share nothing, only states with equal rows are merged, a few rounds of it.
 */
export function minimize(dfa: Dfa): Dfa {
  return dfa.states <= REFINED_STATES ? merge(dfa, refine(dfa)) : mergeEqualRows(dfa);
}

/** Splits blocks of states by where their bytes lead until nothing splits any more. Returns each state's block. */
function refine(dfa: Dfa): Int32Array {
  let block = Int32Array.from(dfa.accept);
  let count = new Set(block).size;
  for (;;) {
    const numbering = new ListNumbering();
    const next = new Int32Array(dfa.states);
    const row = new RowKey(dfa);
    for (let state = 0; state < dfa.states; state++) {
      next[state] = numbering.number(row.items, row.fill(state, block, block[state]!));
    }
    if (numbering.count === count) return next;
    count = numbering.count;
    block = next;
  }
}

function mergeEqualRows(dfa: Dfa): Dfa {
  let merged = dfa;
  for (let round = 0; round < MERGE_ROUNDS; round++) {
    const numbering = new ListNumbering();
    const self = Int32Array.from({ length: merged.states }, (_, state) => state);
    const row = new RowKey(merged);
    const block = new Int32Array(merged.states);
    for (let state = 0; state < merged.states; state++) {
      block[state] = numbering.number(row.items, row.fill(state, self, merged.accept[state]!));
    }
    if (numbering.count === merged.states) break;
    merged = merge(merged, block);
  }
  return merged;
}

/** A state's row under a partition, in a form that is the same for rows that say the same. */
class RowKey {
  items: Int32Array;
  readonly #dfa: Dfa;
  readonly #row: Int32Array;

  constructor(dfa: Dfa) {
    this.#dfa = dfa;
    this.items = new Int32Array(2 * dfa.classCount + 2);
    this.#row = new Int32Array(dfa.classCount);
  }

  fill(state: number, block: Int32Array, head: number): number {
    const { start, key, target, otherwise, classCount } = this.#dfa;
    const from = start[state]!;
    const to = start[state + 1]!;
    const items = this.items;
    let usual = block[otherwise[state]!]!;
    // With fewer exceptions than half the classes the default is the most frequent target whatever the others are.
    if (2 * (to - from) >= classCount) usual = this.#mostFrequent(state, block);
    items[0] = head;
    items[1] = usual;
    let length = 2;
    const otherBlock = block[otherwise[state]!]!;
    if (otherBlock === usual) {
      for (let entry = from; entry < to; entry++) {
        const led = block[target[entry]!]!;
        if (led === usual) continue;
        items[length++] = key[entry]!;
        items[length++] = led;
      }
      return length;
    }
    this.#spread(state, block);
    for (let byteClass = 0; byteClass < classCount; byteClass++) {
      if (this.#row[byteClass] === usual) continue;
      items[length++] = byteClass;
      items[length++] = this.#row[byteClass]!;
    }
    return length;
  }

  #spread(state: number, block: Int32Array): void {
    const { start, key, target, otherwise } = this.#dfa;
    this.#row.fill(block[otherwise[state]!]!);
    for (let entry = start[state]!; entry < start[state + 1]!; entry++) this.#row[key[entry]!] = block[target[entry]!]!;
  }

  #mostFrequent(state: number, block: Int32Array): number {
    this.#spread(state, block);
    const counts = new Map<number, number>();
    for (const led of this.#row) counts.set(led, (counts.get(led) ?? 0) + 1);
    let best = -1;
    let most = 0;
    for (const [led, count] of counts) {
      if (count > most || (count === most && led < best)) {
        best = led;
        most = count;
      }
    }
    return best;
  }
}

/** One state for each block; the block of state 0 stays state 0. */
function merge(dfa: Dfa, block: Int32Array): Dfa {
  const renumbered = new Map<number, number>();
  const representative: number[] = [];
  for (let state = 0; state < dfa.states; state++) {
    if (renumbered.has(block[state]!)) continue;
    renumbered.set(block[state]!, representative.push(state) - 1);
  }
  const to = (state: number): number => renumbered.get(block[state]!)!;
  const start = new Int32Array(representative.length + 1);
  const key: number[] = [];
  const target: number[] = [];
  representative.forEach((state, index) => {
    for (let entry = dfa.start[state]!; entry < dfa.start[state + 1]!; entry++) {
      if (to(dfa.target[entry]!) === to(dfa.otherwise[state]!)) continue;
      key.push(dfa.key[entry]!);
      target.push(to(dfa.target[entry]!));
    }
    start[index + 1] = key.length;
  });
  return {
    ...dfa,
    states: representative.length,
    initial: to(dfa.initial),
    otherwise: Int32Array.from(representative, (state) => to(dfa.otherwise[state]!)),
    start,
    key: Int32Array.from(key),
    target: Int32Array.from(target),
    accept: Int32Array.from(representative, (state) => dfa.accept[state]!),
  };
}

const REFINED_STATES = 20_000;
const MERGE_ROUNDS = 4;
