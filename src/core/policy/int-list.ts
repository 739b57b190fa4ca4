/** A growing list of 32-bit integers. */
export class IntList {
  items = new Int32Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.items.length) {
      const larger = new Int32Array(this.length * 2);
      larger.set(this.items);
      this.items = larger;
    }
    this.items[this.length++] = value;
  }
}

/** Numbers lists of integers: equal lists get the same number, new ones the next. */
export class ListNumbering {
  readonly values = new IntList();
  readonly starts = new IntList();
  #table = new Int32Array(4096);
  #hashes = new IntList();

  constructor() {
    this.starts.push(0);
  }

  get count(): number {
    return this.starts.length - 1;
  }

  /** The number of the list made of the first `length` items. */
  number(items: Int32Array, length: number): number {
    let hash = length;
    for (let index = 0; index < length; index++)
      hash = (Math.imul(hash ^ items[index]!, 0x01000193) << 5) ^ (hash >>> 27);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let slot = hash & (this.#table.length - 1);
    for (let entry = this.#table[slot]!; entry > 0; entry = this.#table[slot]!) {
      if (this.#hashes.items[entry - 1] === hash && this.#equal(entry - 1, items, length)) return entry - 1;
      slot = (slot + 1) & (this.#table.length - 1);
    }
    for (let index = 0; index < length; index++) this.values.push(items[index]!);
    this.starts.push(this.values.length);
    this.#hashes.push(hash);
    this.#table[slot] = this.count;
    if (this.count * 2 > this.#table.length) this.#grow();
    return this.count - 1;
  }

  #equal(number: number, items: Int32Array, length: number): boolean {
    const start = this.starts.items[number]!;
    if (this.starts.items[number + 1]! - start !== length) return false;
    for (let index = 0; index < length; index++) if (this.values.items[start + index] !== items[index]) return false;
    return true;
  }

  #grow(): void {
    const table = new Int32Array(this.#table.length * 4);
    for (let number = 0; number < this.count; number++) {
      let slot = this.#hashes.items[number]! & (table.length - 1);
      while (table[slot]! > 0) slot = (slot + 1) & (table.length - 1);
      table[slot] = number + 1;
    }
    this.#table = table;
  }
}
