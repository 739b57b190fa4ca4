/**
 * Hands out a few places among owners: an owner never holds all of them, and waiting owners get places in turn, however much each of them
 * has queued.
 */
export class FairTurns {
  readonly #places: number;
  readonly #held = new Map<string, number>();
  readonly #waiting = new Map<string, Array<() => void>>();
  #busy = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** Resolves when it is the owner's turn. */
  enter(owner: string): Promise<void> {
    return new Promise((turn) => {
      const queue = this.#waiting.get(owner);
      if (queue) queue.push(turn);
      else this.#waiting.set(owner, [turn]);
      this.#admit();
    });
  }

  leave(owner: string): void {
    const held = (this.#held.get(owner) ?? 0) - 1;
    if (held > 0) this.#held.set(owner, held);
    else this.#held.delete(owner);
    this.#busy--;
    this.#admit();
  }

  #admit(): void {
    for (const [owner, queue] of this.#waiting) {
      if (this.#busy >= this.#places) return;
      const held = this.#held.get(owner) ?? 0;
      if (held >= this.#places - 1) continue;
      this.#busy++;
      this.#held.set(owner, held + 1);
      this.#waiting.delete(owner);
      const turn = queue.shift();
      // Back at the end of the row, which this iteration reaches again.
      if (queue.length > 0) this.#waiting.set(owner, queue);
      turn?.();
    }
  }
}
