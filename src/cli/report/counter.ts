/**
 * Counts by key, of as many keys as a page or a table can use. What comes when there are too many is counted together: a run chooses its names, and must not
 * choose how much memory is taken.
 */
export class Counter<Value> {
  readonly #values = new Map<string, Value>();
  readonly #most: number;
  /** How much was counted under no key of its own. */
  others = 0;

  constructor(most = 2000) {
    this.#most = most;
  }

  /** The value of a key, made when it is new; undefined when there is no room for another one, and then `amount` goes to the others. */
  at(key: string, make: () => Value, amount = 1): Value | undefined {
    const found = this.#values.get(key);
    if (found !== undefined) return found;
    if (this.#values.size >= this.#most) {
      this.others += amount;
      return undefined;
    }
    const made = make();
    this.#values.set(key, made);
    return made;
  }

  get size(): number {
    return this.#values.size;
  }

  /** The largest first; equal ones in the order in which they came. */
  largest(sizeOf: (value: Value) => number, most = Number.POSITIVE_INFINITY): Value[] {
    return [...this.#values.values()].sort((a, b) => sizeOf(b) - sizeOf(a)).slice(0, most);
  }
}
