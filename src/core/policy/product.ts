import type { Dfa } from './dfa.ts';
import { SLASH } from './hierarchy.ts';

/** A byte that stands for all that no automaton tells apart from it, and how many those are. */
export type Letter = { byte: number; classes: readonly number[]; size: number };

/** Several automata that read the same text in step: a place is the state of each. */
export class Product {
  readonly dfas: readonly Dfa[];
  /** Never the byte 0, which no text holds. */
  readonly letters: readonly Letter[];
  /** By automaton and class, the letters of that class. */
  readonly #lettersOf: readonly (readonly number[])[][];
  readonly #others: readonly Letter[];
  readonly #chosen: Uint8Array;

  constructor(dfas: readonly Dfa[]) {
    this.dfas = dfas;
    const known = new Map<string, Letter>();
    for (let byte = 1; byte < 256; byte++) {
      const classes = dfas.map(({ classOf }) => classOf[byte]!);
      const key = `${classes.join()}${APART.includes(byte) ? ` ${byte}` : ''}`;
      const letter = known.get(key);
      known.set(key, letter ? { ...letter, size: letter.size + 1 } : { byte, classes, size: 1 });
    }
    this.letters = [...known.values()];
    this.#others = this.letters.map((letter) => ({ ...letter, size: 256 }));
    this.#chosen = new Uint8Array(this.letters.length);
    this.#lettersOf = dfas.map(({ classCount }, index) => {
      const of: number[][] = Array.from({ length: classCount }, () => []);
      this.letters.forEach(({ classes }, letter) => {
        of[classes[index]!]!.push(letter);
      });
      return of;
    });
  }

  get start(): number[] {
    return this.dfas.map(({ initial }) => initial);
  }

  run(place: readonly number[], text: Uint8Array): number[] {
    return this.dfas.map((dfa, index) => {
      let state = place[index]!;
      for (const byte of text) state = step(dfa, state, dfa.classOf[byte]!);
      return state;
    });
  }

  next(place: readonly number[], { classes }: Letter): number[] {
    return this.dfas.map((dfa, index) => step(dfa, place[index]!, classes[index]!));
  }

  /** Those that some state of the place has a way of its own for, and one that stands for all of the rest. */
  lettersAt(place: readonly number[]): Letter[] {
    const chosen = this.#chosen.fill(0);
    this.dfas.forEach((dfa, index) => {
      const state = place[index]!;
      for (let entry = dfa.start[state]!; entry < dfa.start[state + 1]!; entry++)
        for (const letter of this.#lettersOf[index]![dfa.key[entry]!]!) chosen[letter] = 1;
    });
    const letters: Letter[] = [];
    let rest: Letter | null = null;
    this.letters.forEach((letter, index) => {
      if (chosen[index] === 1 || APART.includes(letter.byte)) letters.push(letter);
      else rest ??= this.#others[index]!;
    });
    if (rest) letters.push(rest);
    return letters;
  }

  /** The rules that the automata accept here, all together. */
  rules(place: readonly number[]): number[] {
    return this.dfas.flatMap((dfa, index) => dfa.acceptSets[dfa.accept[place[index]!]!]!);
  }

  /** The same for places that accept the same. */
  accepts(place: readonly number[]): string {
    return this.dfas.map(({ accept }, index) => accept[place[index]!]).join();
  }

  /** Whether the automaton of that number stays as it is whatever follows. */
  isSettled(place: readonly number[], index: number): boolean {
    const dfa = this.dfas[index]!;
    const state = place[index]!;
    return dfa.otherwise[state] === state && dfa.start[state] === dfa.start[state + 1];
  }
}

export function step(dfa: Dfa, state: number, byteClass: number): number {
  for (let entry = dfa.start[state]!; entry < dfa.start[state + 1]!; entry++) {
    const key = dfa.key[entry]!;
    if (key === byteClass) return dfa.target[entry]!;
    if (key > byteClass) break;
  }
  return dfa.otherwise[state]!;
}

/** What texts are made up of by: slashes between names, blanks between words, quotes around them, a backslash before a quote. */
const APART = [SLASH, 0x20, 0x27, 0x5c];
