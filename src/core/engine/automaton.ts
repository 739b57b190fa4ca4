/** One automaton of an image. States are word indices; 0 is dead. Reads nothing outside its words once `check-image` has passed it. */
export class Automaton {
  readonly action: number;
  readonly kind: number;
  readonly classes: number;
  readonly start: number;
  readonly words: Uint32Array;
  readonly classMap: Uint8Array;

  constructor(action: number, kind: number, classes: number, start: number, words: Uint32Array, classMap: Uint8Array) {
    this.action = action;
    this.kind = kind;
    this.classes = classes;
    this.start = start;
    this.words = words;
    this.classMap = classMap;
  }

  /** The state after the bytes. */
  run(state: number, bytes: Uint8Array): number {
    let at = state;
    for (const byte of bytes) {
      if ((this.words[at + 1]! & ABSORBING) !== 0) return at;
      at = this.step(at, byte);
    }
    return at;
  }

  step(state: number, byte: number): number {
    const { words } = this;
    const head = words[state + 1]!;
    if (head & DENSE) return words[state + 2 + this.classMap[byte]!]!;
    const count = head & KEYS;
    for (let index = 0; index < count; index++) {
      const key = (words[state + 3 + (index >> 2)]! >>> (8 * (index & 3))) & 0xff;
      if (key === byte) return words[state + 3 + ((count + 3) >> 2) + index]!;
      if (key > byte) break;
    }
    return words[state + 2]!;
  }

  /** Index into the image's accept sets. */
  accept(state: number): number {
    return this.words[state]!;
  }
}

export const DENSE = 0x80000000;
export const ABSORBING = 0x40000000;
export const KEYS = 0xffff;
