import type { WriteStream } from 'node:tty';

/**
 * Lines on a terminal that are drawn again in place, each time in one write, so that nothing flickers. What was there before stays above, and what is drawn
 * last stays when the program ends.
 */
export class LiveScreen {
  readonly #out: Pick<WriteStream, 'write' | 'columns' | 'rows'>;
  /** How long each line that stands there is. */
  #drawn: number[] = [];

  constructor(out: Pick<WriteStream, 'write' | 'columns' | 'rows'> = process.stdout) {
    this.#out = out;
  }

  /** Room for lines, and in each. */
  get size(): { lines: number; columns: number } {
    return { lines: Math.max(4, (this.#out.rows || 24) - 1), columns: Math.max(20, this.#out.columns || 80) };
  }

  /** @param lines no longer than there is room; `length` is without colours */
  draw(lines: readonly { text: string; length: number }[]): void {
    const { columns, lines: room } = this.size;
    // A terminal that became narrower has wrapped what stood there.
    const height = this.#drawn.reduce((sum, length) => sum + Math.max(1, Math.ceil(length / columns)), 0);
    const up = Math.min(height, room);
    const back = up > 0 ? `\r\x1b[${up}A` : '\r';
    const body = lines.map(({ text }) => `${text}\x1b[K\n`).join('');
    // Without wrapping a line stays one line, whatever a terminal takes for the width of a character.
    this.#out.write(`${START}${back}${body}\x1b[J${END}`);
    this.#drawn = lines.map(({ length }) => length);
  }
}

/** Synchronized output, for terminals that know it, and no wrapping. */
const START = '\x1b[?2026h\x1b[?7l';
const END = '\x1b[?7h\x1b[?2026l';
