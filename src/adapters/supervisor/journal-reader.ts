import { closeSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import type { Frame } from '../../core/wire/frame.ts';
import { journalItem, parseSegmentHeader, RECORD_MAX_BYTES, segmentName } from '../../core/wire/journal.ts';
import { JOURNAL_HEADER_BYTES } from '../../core/wire/messages.ts';

/** Where reading goes on, and the number of the last record that was taken. */
export type JournalPosition = { segment: number; offset: number; number: number };

export const JOURNAL_START: JournalPosition = { segment: 1, offset: JOURNAL_HEADER_BYTES, number: 0 };

export type JournalFinding = { kind: 'gap' | 'damage'; text: string; count: number };

export type JournalBatch = {
  /** In order; a finding stands where its records would have been. */
  items: (Frame | JournalFinding)[];
  position: JournalPosition;
};

/**
 * Reads what a run's journal holds behind a position, a few thousand records at most; no items: there is no more now. Records with a number
 * that was taken before are passed over, numbers that never come are a finding, and so are bytes that are no record; reading then goes on
 * at the next record that can be found. `final`: nobody writes any more.
 */
export function readJournal(directory: string, run: string, from: JournalPosition, final = false): JournalBatch {
  const reader = new JournalReader(directory, run, from, final);
  reader.read();
  return { items: reader.items, position: reader.position };
}

/** Removes the segments before one: all of them are in the chain. */
export function removeSegments(directory: string, before: number): void {
  for (const number of segments(directory)) {
    if (number < before) rmSync(`${directory}/${segmentName(number)}`, { force: true });
  }
}

function segments(directory: string): number[] {
  return readdirSync(directory).flatMap((name) => {
    const number = /^journal-(\d{6,})$/.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

class JournalReader {
  readonly items: (Frame | JournalFinding)[] = [];
  readonly #directory: string;
  readonly #run: string;
  readonly #final: boolean;
  position: JournalPosition;

  constructor(directory: string, run: string, position: JournalPosition, final: boolean) {
    this.#directory = directory;
    this.#run = run;
    this.#final = final;
    this.position = position;
  }

  read(): void {
    while (this.items.length < MAX_ITEMS) {
      const fd = open(this.#path(this.position.segment));
      if (fd === undefined) {
        if (!this.#skipRemoved()) return;
        continue;
      }
      try {
        const continues = this.#headerFits(fd)
          ? this.#readSegment(fd)
          : this.#skipSegment('its header is not this run’s');
        if (!continues) return;
      } finally {
        closeSync(fd);
      }
      this.position = {
        segment: this.position.segment + 1,
        offset: JOURNAL_HEADER_BYTES,
        number: this.position.number,
      };
    }
  }

  /** A segment that was drained and removed by a daemon that could not write down that it was. What is missing beyond that, the numbers tell. */
  #skipRemoved(): boolean {
    const later = segments(this.#directory).filter((number) => number > this.position.segment);
    if (later.length === 0) return false;
    this.position = { ...this.position, segment: Math.min(...later), offset: JOURNAL_HEADER_BYTES };
    return true;
  }

  /** True when the segment is done and the next one continues. */
  #readSegment(fd: number): boolean {
    let suspect = -1;
    // Most often there is little that is new, and a buffer for the most there can be costs more than all the rest.
    let size = FIRST_WINDOW_BYTES;
    while (this.items.length < MAX_ITEMS) {
      const base = this.position.offset;
      const window = readAt(fd, base, size);
      for (;;) {
        const item = journalItem(window, base, this.position.offset);
        if (item.kind === 'record') this.#take(item.frame, item.next);
        else if (item.kind === 'next-segment') return true;
        else if (item.kind === 'end') return false;
        else if (item.kind === 'more') {
          const whole = size === WINDOW_BYTES || window.length < size;
          if (whole && this.position.offset === base) return this.#cutOff(window.length);
          size = WINDOW_BYTES;
          break; // read on from here
        } else {
          // A copy may have overtaken the writer's stores: only what is wrong twice is wrong.
          if (suspect !== item.at) {
            suspect = item.at;
            size = WINDOW_BYTES;
            break;
          }
          const next = item.kind === 'damage' ? item.next : findRecord(window, base, item.at);
          if (next === undefined) return this.#skipSegment(item.what);
          this.#damage(`${item.what} at ${item.at}`, next - item.at);
          this.#moveTo(next);
        }
      }
    }
    return false;
  }

  #take(frame: Frame, next: number): void {
    const number = Number(frame.number);
    const expected = this.position.number + 1;
    if (number >= expected) {
      const missing = number - expected;
      if (missing > 0)
        this.items.push({ kind: 'gap', text: `records ${expected} to ${number - 1} never came`, count: missing });
      this.items.push(frame);
    }
    this.position = { ...this.position, offset: next, number: Math.max(number, this.position.number) };
  }

  /** The file ends inside a record, or before its first one. The writer never leaves such a file. */
  #cutOff(bytes: number): boolean {
    if (bytes === 0 && !this.#nextExists()) return false;
    return this.#skipSegment('it ends inside a record');
  }

  /** Nothing more can be read here. While someone may write on, that is said only once there is a next segment. */
  #skipSegment(what: string): boolean {
    const continues = this.#nextExists();
    if (continues || this.#final) this.#damage(`the rest from ${this.position.offset} on: ${what}`, 0);
    if (this.#final && !continues) this.#moveTo(Number.MAX_SAFE_INTEGER);
    return continues;
  }

  #damage(what: string, bytes: number): void {
    this.items.push({ kind: 'damage', text: `${segmentName(this.position.segment)}: ${what}`, count: bytes });
  }

  #moveTo(offset: number): void {
    this.position = { ...this.position, offset };
  }

  #headerFits(fd: number): boolean {
    const header = parseSegmentHeader(readAt(fd, 0, JOURNAL_HEADER_BYTES));
    return typeof header !== 'string' && header.run === this.#run && header.segment === this.position.segment;
  }

  #nextExists(): boolean {
    const fd = open(this.#path(this.position.segment + 1));
    if (fd !== undefined) closeSync(fd);
    return fd !== undefined;
  }

  #path(segment: number): string {
    return `${this.#directory}/${segmentName(segment)}`;
  }
}

/** The next place that holds a record whose checksum fits. */
function findRecord(window: Uint8Array, base: number, from: number): number | undefined {
  for (let at = from + 8; at < base + window.length; at += 8) {
    if (journalItem(window, base, at).kind === 'record') return at;
  }
  return undefined;
}

function readAt(fd: number, offset: number, length: number): Uint8Array {
  if (offset > MAX_OFFSET) return new Uint8Array(0);
  const bytes = Buffer.allocUnsafe(length);
  return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
}

function open(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const FIRST_WINDOW_BYTES = 16 * 1024;
const WINDOW_BYTES = Math.max(256 * 1024, RECORD_MAX_BYTES);
const MAX_ITEMS = 2048;
const MAX_OFFSET = 2 ** 40;
