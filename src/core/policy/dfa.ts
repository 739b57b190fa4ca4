/**
 * A deterministic byte automaton. State 0 is dead. A state's row is a default target and exceptions, by byte class in
 * ascending order: exceptions of state s are the entries `start[s]` up to `start[s + 1]` of `key` and `target`.
 */
export type Dfa = {
  classCount: number;
  /** 256 entries. */
  classOf: Uint8Array;
  states: number;
  initial: number;
  otherwise: Int32Array;
  start: Int32Array;
  key: Int32Array;
  target: Int32Array;
  /** Index into acceptSets for each state. */
  accept: Int32Array;
  /** Rule numbers, ascending; entry 0 is the empty set. */
  acceptSets: readonly (readonly number[])[];
};
