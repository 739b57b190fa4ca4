import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { LONGEST_LINE } from '../../core/audit/chain-verifier.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';

/** Takes a line without its newline, which is overwritten afterwards. `isText`: whether it is valid UTF-8. */
export type TakeLine = (bytes: Buffer, isText: boolean) => void;

/** Reads a file line by line in large steps, with no more memory than two of them whatever the file holds. */
export class LineReader {
  readonly #fd: number;
  readonly #buffer: Buffer;
  /** Bytes of the buffer that wait for their newline. */
  #rest = 0;
  #at = 0;
  /** Within a line that is longer than any entry: it was handed on already, cut off. */
  #skipping = false;

  /** @throws NotAFile unless it is an ordinary file, not a link to one */
  constructor(path: string) {
    this.#fd = openFile(path);
    this.#buffer = spare ?? Buffer.allocUnsafeSlow(STEP_BYTES + LONGEST_LINE + 2);
    spare = undefined;
  }

  /** Reads on. Returns the number of bytes, 0 at the end of what is there now. */
  step(take: TakeLine): number {
    const buffer = this.#buffer;
    const got = readSync(this.#fd, buffer, this.#rest, STEP_BYTES, this.#at);
    this.#at += got;
    const end = this.#rest + got;
    let from = 0;
    if (this.#skipping) {
      const newline = buffer.subarray(0, end).indexOf(NEWLINE);
      this.#skipping = newline < 0;
      from = newline < 0 ? end : newline + 1;
    }
    const last = buffer.subarray(from, end).lastIndexOf(NEWLINE) + from;
    if (last >= from) this.#takeLines(from, last, take);
    from = Math.max(from, last + 1);
    if (end - from > LONGEST_LINE) {
      take(buffer.subarray(from, from + LONGEST_LINE + 1), false);
      this.#skipping = true;
      from = end;
    }
    buffer.copyWithin(0, from, end);
    this.#rest = end - from;
    return got;
  }

  /** Whether what was read ends in the middle of a line. */
  get isTorn(): boolean {
    return this.#rest > 0 || this.#skipping;
  }

  close(): void {
    closeSync(this.#fd);
    spare = this.#buffer;
  }

  #takeLines(from: number, last: number, take: TakeLine): void {
    const buffer = this.#buffer;
    const isText = isUtf8(buffer.subarray(from, last));
    for (let at = from; at <= last; ) {
      const newline = buffer.indexOf(NEWLINE, at);
      const line = buffer.subarray(at, newline);
      take(line, isText || isUtf8(line));
      at = newline + 1;
    }
  }
}

/** All whole lines of a file. */
export function readLines(path: string, take: TakeLine): void {
  const reader = new LineReader(path);
  try {
    while (reader.step(take) > 0);
  } finally {
    reader.close();
  }
}

export class NotAFile extends GatekeeperError {
  constructor(what: string, where: string) {
    super('GK_AUDIT_READ', { what, where });
  }
}

/** Never waits for the other end of a FIFO, and follows no link. */
export function openFile(path: string): number {
  const fd = openOrSay(path);
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw new NotAFile('it is not an ordinary file', path);
}

function openOrSay(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw new NotAFile('it is a symbolic link', path);
    if (code === 'ENXIO') throw new NotAFile('it is a socket', path);
    throw error;
  }
}

/** One line of a file, counted from 1, as far as it is text and not longer than any entry. */
export function readLine(path: string, wanted: number): string | undefined {
  const reader = new LineReader(path);
  let line = 0;
  let found: string | undefined;
  try {
    while (line < wanted) {
      const got = reader.step((bytes, isText) => {
        line += 1;
        if (line === wanted && isText && bytes.length <= LONGEST_LINE) found = bytes.toString();
      });
      if (got === 0) break;
    }
    return found;
  } finally {
    reader.close();
  }
}

/** A small file as a whole; undefined when it is longer. */
export function readSmallFile(path: string, most: number): Buffer | undefined {
  const fd = openFile(path);
  try {
    const bytes = Buffer.alloc(most + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < bytes.length; length += got) {
      got = readSync(fd, bytes, length, bytes.length - length, length);
    }
    return length > most ? undefined : bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

/** The buffer of a reader that was closed: most files are read one after the other. */
let spare: Buffer | undefined;
const STEP_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
