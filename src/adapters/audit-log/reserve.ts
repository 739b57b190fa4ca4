import { randomFillSync } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, rmSync, writeSync } from 'node:fs';

/**
 * Room that is kept for the day when the disk is full: a file that is given up then, so that the log can still say, signed, that it takes nothing any
 * more, and how the runs ended.
 */
export class Reserve {
  readonly #path: string;
  readonly #bytes: number;

  constructor(directory: string, bytes = RESERVE_BYTES) {
    this.#path = `${directory}/reserve`;
    this.#bytes = bytes;
  }

  /** Throws when there is no room for it. */
  make(): void {
    const fd = openSync(this.#path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    try {
      if (!isWhole(fd, this.#bytes)) this.#fill(fd);
    } catch (error) {
      this.giveUp(); // half of it would take room from what goes on
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  /** Its room is free now. */
  giveUp(): void {
    try {
      rmSync(this.#path, { force: true });
    } catch {
      // where nothing can be changed its room would be of no use
    }
  }

  /** What a file system could neither leave out (a hole) nor make small (zeros). */
  #fill(fd: number): void {
    const bytes = randomFillSync(Buffer.allocUnsafe(this.#bytes));
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at);
  }
}

/** Really there, and not only said to be as long. */
function isWhole(fd: number, bytes: number): boolean {
  const { size, blocks, nlink } = fstatSync(fd);
  return size >= bytes && blocks * BLOCK_BYTES >= bytes && nlink === 1;
}

/** The ends of as many runs as there can be at once, and more. */
const RESERVE_BYTES = 256 * 1024;
/** Of `st_blocks` (stat(2)). */
const BLOCK_BYTES = 512;
