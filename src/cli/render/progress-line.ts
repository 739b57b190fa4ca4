import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';

/** One line on standard error that is drawn again in place while something goes on, for a person at a terminal alone. */
export class ProgressLine {
  readonly #isShown = isatty(2);
  readonly #began = performance.now();
  #drawnAt = 0;

  /** @param text takes the seconds since the beginning; is asked no oftener than the line is drawn */
  update(text: (seconds: number) => string): void {
    const now = performance.now();
    if (!this.#isShown || now - this.#began < PATIENCE_MS || now - this.#drawnAt < EVERY_MS) return;
    this.#drawnAt = now;
    write(`\r\x1b[K${text((now - this.#began) / 1000)}`);
  }

  clear(): void {
    if (this.#drawnAt > 0) write('\r\x1b[K');
  }
}

function write(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // There is nobody to tell.
  }
}

const PATIENCE_MS = 250;
const EVERY_MS = 100;
