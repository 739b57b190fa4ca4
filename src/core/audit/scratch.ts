/**
 * Memory that is filled and read again and again, for texts of some hundred bytes each. Their lengths recur, so the views of its first bytes are kept: to make
 * one, and to clean up after it, costs more than to copy what it shows.
 */
export class Scratch {
  #memory = new Uint8Array(KEPT_BYTES);
  readonly #views = new Array<Uint8Array | undefined>(KEPT_BYTES + 1).fill(undefined);

  /** With room for so many bytes; whatever they were before. */
  room(length: number): Uint8Array {
    if (length > this.#memory.length) {
      this.#memory = new Uint8Array(2 * length);
      this.#views.fill(undefined);
    }
    return this.#memory;
  }

  /** What was put there, of no more than there was room for. */
  first(length: number): Uint8Array {
    const memory = this.room(length);
    if (length > KEPT_BYTES) return memory.subarray(0, length);
    this.#views[length] ??= memory.subarray(0, length);
    return this.#views[length];
  }
}

const KEPT_BYTES = 4096;
