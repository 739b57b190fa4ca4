import type { Dfa } from './dfa.ts';
import { IntList } from './int-list.ts';

export type EncodedAutomaton = {
  classCount: number;
  /** 256 bytes. */
  classMap: Uint8Array;
  /** Index of the start state's first word. */
  start: number;
  words: Int32Array;
};

export const STATE_DENSE = 0x80000000 | 0;
export const STATE_ABSORBING = 0x40000000;

/**
 * Lays a DFA out in words as docs/policy-image.md says. States come in the order in which input reaches them, so that
 * the first components of every path stay in few cache lines.
 *
 * @param acceptWord index in the image's ACCEPTS section for each accept set of the DFA
 * @param laidOut what `layOut` gives, which does not hang on the other rules of the image
 */
export function encodeAutomaton(dfa: Dfa, acceptWord: readonly number[], laidOut = layOut(dfa)): EncodedAutomaton {
  const words = laidOut.words.slice();
  for (let state = 0; state < dfa.states; state++) {
    const at = laidOut.offset[state]!;
    if (at >= 0) words[at] = acceptWord[dfa.accept[state]!]!;
  }
  return { classCount: dfa.classCount, classMap: dfa.classOf, start: laidOut.offset[dfa.initial]!, words };
}

/** Words of an automaton but for what its states accept, and where each state begins; -1 for one that no input reaches. */
export type LaidOut = { words: Int32Array; offset: Int32Array };

export function layOut(dfa: Dfa): LaidOut {
  const order = reachedOrder(dfa);
  const bytesOf = bytesByClass(dfa);
  const offset = new Int32Array(dfa.states).fill(-1);
  let length = 0;
  for (const state of order) {
    offset[state] = length;
    length += rowWords(dfa, state, bytesOf);
  }
  const words = new Int32Array(length);
  for (const state of order) {
    const at = offset[state]!;
    const absorbing = isAbsorbing(dfa, state) ? STATE_ABSORBING : 0;
    if (isDense(dfa, state, bytesOf)) writeDense(dfa, state, offset, words, at, absorbing);
    else writeSparse(dfa, state, offset, words, at, absorbing, bytesOf);
  }
  return { words, offset };
}

function reachedOrder(dfa: Dfa): Int32Array {
  const seen = new Uint8Array(dfa.states);
  const order = new IntList();
  const reach = (state: number): void => {
    if (seen[state]) return;
    seen[state] = 1;
    order.push(state);
  };
  reach(0);
  reach(dfa.initial);
  for (let index = 1; index < order.length; index++) {
    const state = order.items[index]!;
    for (let entry = dfa.start[state]!; entry < dfa.start[state + 1]!; entry++) reach(dfa.target[entry]!);
    reach(dfa.otherwise[state]!);
  }
  return order.items.slice(0, order.length);
}

function bytesByClass(dfa: Dfa): number[][] {
  const bytes: number[][] = Array.from({ length: dfa.classCount }, () => []);
  dfa.classOf.forEach((byteClass, byte) => {
    bytes[byteClass]!.push(byte);
  });
  return bytes;
}

function exceptionBytes(dfa: Dfa, state: number, bytesOf: number[][]): number {
  let bytes = 0;
  for (let entry = dfa.start[state]!; entry < dfa.start[state + 1]!; entry++) bytes += bytesOf[dfa.key[entry]!]!.length;
  return bytes;
}

/** A dense row is looked up in one step; it is taken when it costs no more words, or when a scan would be long. */
function isDense(dfa: Dfa, state: number, bytesOf: number[][]): boolean {
  const bytes = exceptionBytes(dfa, state, bytesOf);
  return bytes > LONGEST_SCAN || sparseWords(bytes) >= 2 + dfa.classCount;
}

function sparseWords(bytes: number): number {
  return 3 + Math.ceil(bytes / 4) + bytes;
}

function rowWords(dfa: Dfa, state: number, bytesOf: number[][]): number {
  return isDense(dfa, state, bytesOf) ? 2 + dfa.classCount : sparseWords(exceptionBytes(dfa, state, bytesOf));
}

function isAbsorbing(dfa: Dfa, state: number): boolean {
  return dfa.otherwise[state] === state && dfa.start[state] === dfa.start[state + 1];
}

function writeDense(dfa: Dfa, state: number, offset: Int32Array, words: Int32Array, at: number, flags: number): void {
  words[at + 1] = STATE_DENSE | flags | dfa.classCount;
  words.fill(offset[dfa.otherwise[state]!]!, at + 2, at + 2 + dfa.classCount);
  for (let entry = dfa.start[state]!; entry < dfa.start[state + 1]!; entry++) {
    words[at + 2 + dfa.key[entry]!] = offset[dfa.target[entry]!]!;
  }
}

function writeSparse(
  dfa: Dfa,
  state: number,
  offset: Int32Array,
  words: Int32Array,
  at: number,
  flags: number,
  bytesOf: number[][],
): void {
  const count = exceptionBytes(dfa, state, bytesOf);
  const targets = at + 3 + Math.ceil(count / 4);
  words[at + 1] = flags | count;
  words[at + 2] = offset[dfa.otherwise[state]!]!;
  let index = 0;
  // Classes are ranges in ascending order, so the bytes of ascending classes ascend.
  for (let entry = dfa.start[state]!; entry < dfa.start[state + 1]!; entry++) {
    for (const byte of bytesOf[dfa.key[entry]!]!) {
      words[at + 3 + (index >> 2)]! |= byte << (8 * (index & 3));
      words[targets + index] = offset[dfa.target[entry]!]!;
      index++;
    }
  }
}

const LONGEST_SCAN = 16;
