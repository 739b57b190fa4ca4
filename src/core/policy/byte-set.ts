/** Interned sets of byte values, so that edges can name a set by a small number. */
export class ByteSets {
  readonly members: Uint8Array[] = [];
  readonly #numbers = new Map<string, number>();

  /** @param has 256 entries, 1 for each byte in the set. Returns the set's number; equal sets have equal numbers. */
  intern(has: Uint8Array): number {
    const key = has.join('');
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.members.push(has.slice());
    this.#numbers.set(key, this.members.length - 1);
    return this.members.length - 1;
  }

  range(low: number, high: number): number {
    return this.intern(new Uint8Array(256).fill(1, low, high + 1));
  }

  /** The bytes that both the set and the predicate have, or -1 when there is none. */
  filter(set: number, keep: (byte: number) => boolean): number {
    const kept = this.members[set]!.map((has, byte) => (has && keep(byte) ? 1 : 0));
    return kept.includes(1) ? this.intern(kept) : -1;
  }
}
