/** What a process was refused a moment ago: a look-up is several questions (both families, a search list, tries again), and one receipt tells of it. */
export class RecentRefusals {
  readonly #withinMs: number;
  readonly #now: () => number;
  /** In the order in which they were written. */
  readonly #written = new Map<string, { image: unknown; at: number }>();

  constructor(withinMs: number, now: () => number = () => performance.now()) {
    this.#withinMs = withinMs;
    this.#now = now;
  }

  has(process: string, name: string, image: unknown): boolean {
    const found = this.#written.get(`${process} ${name}`);
    return found !== undefined && found.image === image && this.#now() - found.at < this.#withinMs;
  }

  /** Once its receipt is safe. */
  add(process: string, name: string, image: unknown): void {
    const key = `${process} ${name}`;
    this.#written.delete(key);
    this.#written.set(key, { image, at: this.#now() });
    for (const [oldest] of this.#written) {
      if (this.#written.size <= MOST_REMEMBERED) break;
      this.#written.delete(oldest);
    }
  }
}

/** Beyond them a refusal is recorded again, rather than that runs fill the daemon's memory with names. */
const MOST_REMEMBERED = 1024;
