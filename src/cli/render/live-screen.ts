import type { WriteStream } from 'node:tty';

/**
 * Lines on a terminal that are drawn again in place, each time in one write, so that nothing flickers. What was there before stays above as long as the
 * size of the terminal stays, and what is drawn last stays when the program ends.
 */
export class LiveScreen {
  readonly #out: Pick<WriteStream, 'write' | 'columns' | 'rows'>;
  /** Lines that stand there. */
  #drawn = 0;
  #columns = 0;

  constructor(out: Pick<WriteStream, 'write' | 'columns' | 'rows'> = process.stdout) {
    this.#out = out;
  }

  /** Room for lines, and in each. Behind a line that fills the last column, erasing the rest of it would take a character away. */
  get size(): { lines: number; columns: number } {
    return { lines: Math.max(4, (this.#out.rows || 24) - 1), columns: Math.max(20, (this.#out.columns || 80) - 1) };
  }

  /** @param lines no more than there is room for */
  draw(lines: readonly string[]): void {
    const { columns, lines: room } = this.size;
    // What becomes of lines when the size changes is for each terminal to say: only an empty screen is sure.
    const changed = this.#columns !== 0 && (columns !== this.#columns || this.#drawn > room);
    const up = this.#drawn > 0 ? `\r\x1b[${this.#drawn}A` : '\r';
    const body = lines.map((text) => `${text}\x1b[K\n`).join('');
    // Without wrapping a line stays one line, whatever a terminal takes for the width of a character.
    this.#out.write(`${START}${changed ? CLEAR : up}${body}\x1b[J${END}`);
    this.#drawn = lines.length;
    this.#columns = columns;
  }
}

/** Synchronized output, for terminals that know it, and no wrapping. */
const START = '\x1b[?2026h\x1b[?7l';
const END = '\x1b[?7h\x1b[?2026l';
const CLEAR = '\x1b[H\x1b[2J';
