import type { Automaton } from '../engine/automaton.ts';
import { ABSORBING, DENSE, KEYS } from '../engine/automaton.ts';
import { IntList, ListNumbering } from '../policy/int-list.ts';
import type { Grammar, Move } from './grammar.ts';

/** An automaton and the lane whose text it reads. */
export type Track = { automaton: Automaton; lane: number };

/** What is known where a subject could end: the accept value of each track, and the mark of the sealed lane. */
export type Place = { node: number; accepts: Int32Array; mark: number };

/**
 * Walks all tracks in step over every subject of a grammar, breadth first: the first place of a kind that is visited has a shortest subject.
 * Nothing is sampled: subjects that lead all tracks to the same states behave alike from there on.
 */
export class Walk {
  readonly #tracks: readonly Track[];
  readonly #grammar: Grammar;
  readonly #seal: (accepts: Int32Array) => readonly number[];
  readonly #most: number;
  readonly #numbering = new ListNumbering();
  readonly #parent = new IntList();
  readonly #byte = new IntList();
  readonly #via: (readonly (Uint8Array | 'byte' | undefined)[])[] = [];
  readonly #classBytes: Uint8Array;
  readonly #width: number;
  readonly #next: Int32Array;
  readonly #special = new Uint8Array(256);
  readonly #chosen = new Uint8Array(256);

  /**
   * @param seal turns the accept values of all tracks into the mark of a sealed lane; several when each of them is to be followed
   * @param most nodes that are visited at most
   */
  constructor(
    tracks: readonly Track[],
    grammar: Grammar,
    seal: (accepts: Int32Array) => readonly number[],
    most: number,
  ) {
    this.#tracks = tracks;
    this.#grammar = grammar;
    this.#seal = seal;
    this.#most = most;
    this.#width = tracks.length + 2;
    this.#next = new Int32Array(this.#width);
    this.#classBytes = representatives(tracks, grammar);
  }

  /** Returns whether everything was visited. `visit` may end the walk by returning false; that counts as complete. */
  run(visit: (place: Place) => boolean | undefined): boolean {
    const current = new Int32Array(this.#width);
    for (const { shape, feeds } of this.#grammar.starts) {
      current[0] = shape;
      current[1] = 0;
      this.#tracks.forEach(({ automaton, lane }, index) => {
        current[index + 2] = automaton.run(automaton.start, feeds[lane] ?? NOTHING);
      });
      this.#reach(current, -1, -1, feeds);
    }
    const accepts = new Int32Array(this.#tracks.length);
    for (let node = 0; node < this.#numbering.count; node++) {
      if (this.#numbering.count > this.#most) return false;
      this.#load(node, current);
      const shape = current[0]!;
      if (this.#grammar.complete[shape]) {
        this.#accepts(current, accepts);
        if (visit({ node, accepts, mark: current[1]! }) === false) return true;
        if (this.#isSettled(current)) continue;
      }
      for (const move of this.#grammar.moves[shape]!) this.#take(node, current, move);
    }
    return true;
  }

  get visited(): number {
    return this.#numbering.count;
  }

  /** The text on a lane that leads to the node. */
  text(node: number, lane: number): Uint8Array {
    const parts: number[][] = [];
    for (let at = node; at >= 0; at = this.#parent.items[at]!) {
      const feed = this.#via[at]![lane];
      if (feed === 'byte') parts.push([this.#byte.items[at]!]);
      else if (feed) parts.push([...feed]);
    }
    return Uint8Array.from(parts.reverse().flat());
  }

  #take(node: number, from: Int32Array, move: Move): void {
    if (move.bytes === null) {
      this.#step(from, move, 0);
      if (move.seals) this.#sealLane(node, move);
      else this.#reach(this.#next, node, 0, move.feeds);
      return;
    }
    for (const byte of this.#distinctBytes(from, move)) {
      if (move.bytes[byte] === 0) continue;
      this.#step(from, move, byte);
      this.#reach(this.#next, node, byte, move.feeds);
    }
  }

  #step(from: Int32Array, move: Move, byte: number): void {
    const next = this.#next;
    next[0] = move.next;
    next[1] = from[1]!;
    for (let index = 0; index < this.#tracks.length; index++) {
      const { automaton, lane } = this.#tracks[index]!;
      const state = from[index + 2]!;
      const feed = move.feeds[lane];
      if (feed === undefined || state < 0) next[index + 2] = state;
      else next[index + 2] = feed === 'byte' ? automaton.step(state, byte) : automaton.run(state, feed);
    }
  }

  #sealLane(node: number, move: Move): void {
    const accepts = new Int32Array(this.#tracks.length);
    this.#accepts(this.#next, accepts);
    this.#tracks.forEach(({ lane }, index) => {
      if (lane === SEALED_LANE) this.#next[index + 2] = SEALED;
    });
    for (const mark of this.#seal(accepts)) {
      this.#next[1] = mark;
      this.#reach(this.#next, node, 0, move.feeds);
    }
  }

  /** The bytes that some state in the vector names, and one of the rest, which all of them treat alike. */
  #distinctBytes(from: Int32Array, move: Move): Uint8Array {
    let most = 0;
    const special = this.#special;
    special.fill(0);
    for (let index = 0; index < this.#tracks.length; index++) {
      const { automaton, lane } = this.#tracks[index]!;
      const state = from[index + 2]!;
      if (state < 0 || move.feeds[lane] !== 'byte') continue;
      const head = automaton.words[state + 1]!;
      if (head & DENSE) return this.#classBytes;
      const count = head & KEYS;
      most += count;
      for (let key = 0; key < count; key++)
        special[(automaton.words[state + 3 + (key >> 2)]! >>> (8 * (key & 3))) & 0xff] = 1;
    }
    if (most >= this.#classBytes.length) return this.#classBytes;
    let length = 0;
    let usual = false;
    for (const byte of this.#classBytes) {
      if (move.bytes![byte] === 0) continue;
      if (special[byte] === 0) {
        if (usual) continue;
        usual = true;
      }
      this.#chosen[length++] = byte;
    }
    return this.#chosen.subarray(0, length);
  }

  #reach(vector: Int32Array, parent: number, byte: number, feeds: readonly (Uint8Array | 'byte' | undefined)[]): void {
    const count = this.#numbering.count;
    if (this.#numbering.number(vector, this.#width) < count) return;
    this.#parent.push(parent);
    this.#byte.push(byte);
    this.#via.push(feeds);
  }

  #load(node: number, into: Int32Array): void {
    const first = this.#numbering.starts.items[node]!;
    for (let index = 0; index < this.#width; index++) into[index] = this.#numbering.values.items[first + index]!;
  }

  #accepts(vector: Int32Array, into: Int32Array): void {
    this.#tracks.forEach(({ automaton }, index) => {
      const state = vector[index + 2]!;
      into[index] = state < 0 ? 0 : automaton.accept(state);
    });
  }

  /** Whether no longer subject can say anything else. */
  #isSettled(vector: Int32Array): boolean {
    return this.#tracks.every(({ automaton }, index) => {
      const state = vector[index + 2]!;
      return state < 0 || (automaton.words[state + 1]! & ABSORBING) !== 0;
    });
  }
}

/** One byte of each class that neither an automaton nor the grammar tells apart, those first that read well. */
function representatives(tracks: readonly Track[], grammar: Grammar): Uint8Array {
  const sets = [...new Set(grammar.moves.flat().flatMap(({ bytes }) => bytes ?? []))];
  const maps = [...new Set(tracks.map(({ automaton }) => automaton.classMap))];
  const seen = new Set<string>();
  const chosen = BYTES_THAT_READ_WELL.filter((byte) => {
    const key = [...sets, ...maps].map((set) => set[byte]).join();
    return seen.has(key) ? false : seen.add(key);
  });
  return Uint8Array.from(chosen);
}

const BYTES_THAT_READ_WELL = [
  ...new Set([...new TextEncoder().encode('abcdefghijklmnopqrstuvwxyz0123456789./-_ABCDEFGHIJKLMNOPQRSTUVWXYZ')]),
  ...Array.from({ length: 95 }, (_, index) => 0x20 + index),
  ...Array.from({ length: 256 }, (_, byte) => byte),
];

const NOTHING = new Uint8Array(0);
const SEALED = -1;
export const SEALED_LANE = 2;
/** For grammars that seal nothing. */
export const NO_MARK = (): readonly number[] => [];
