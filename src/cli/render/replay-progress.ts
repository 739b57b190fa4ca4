/** A line on standard error that says how far it is; nothing where that is no terminal. */
export class Progress {
  readonly #shown = process.stderr.isTTY === true;
  readonly #startedAt = performance.now();
  #next = 500;

  show(entries: number): void {
    const elapsed = performance.now() - this.#startedAt;
    if (!this.#shown || elapsed < this.#next) return;
    this.#next = elapsed + 200;
    process.stderr.write(`\r\x1b[K${entries} decisions`);
  }

  end(): void {
    if (this.#shown && this.#next > 500) process.stderr.write('\r\x1b[K');
  }
}
