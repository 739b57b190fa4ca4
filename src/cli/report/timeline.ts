export type Slot = { allowed: number; refused: number };

/** How much happened when, in equal slots of time; they grow as the time does, so that there are never more than a page is wide. */
export class Timeline {
  readonly #most: number;
  #slots: Slot[] = [];
  #from: number | undefined;
  #width = FIRST_WIDTH_MS;

  constructor(most = 120) {
    this.#most = most;
  }

  /** Milliseconds since 1970. A clock that was set back puts what follows into the first slot. */
  add(at: number, kind: keyof Slot, amount = 1): void {
    if (!Number.isFinite(at)) return;
    this.#from ??= at;
    while (at - this.#from >= this.#width * this.#most) this.#widen();
    const index = Math.max(0, Math.floor((at - this.#from) / this.#width));
    while (this.#slots.length <= index) this.#slots.push({ allowed: 0, refused: 0 });
    this.#slots[index]![kind] += amount;
  }

  /** `from` and `width` in milliseconds. */
  get state(): { from: number; width: number; slots: readonly Slot[] } {
    return { from: this.#from ?? 0, width: this.#width, slots: this.#slots };
  }

  #widen(): void {
    this.#width *= 2;
    const pairs: Slot[] = [];
    for (let at = 0; at < this.#slots.length; at += 2) {
      const [one, other] = [this.#slots[at]!, this.#slots[at + 1] ?? { allowed: 0, refused: 0 }];
      pairs.push({ allowed: one.allowed + other.allowed, refused: one.refused + other.refused });
    }
    this.#slots = pairs;
  }
}

const FIRST_WIDTH_MS = 10;
