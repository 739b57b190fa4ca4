import { closeSync, fstatSync, readdirSync, readSync } from 'node:fs';
import { LONGEST_LINE } from '../../core/audit/chain-verifier.ts';
import { openFile } from './line-reader.ts';

/** The log's files, oldest first. Names are numbers, so that a missing one is seen. */
export function listSegments(directory: string): number[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names
    .filter((name) => SEGMENT_NAME.test(name))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b);
}

export const segmentPath = (directory: string, segment: number) =>
  `${directory}/${String(segment).padStart(6, '0')}.jsonl`;

export const checkpointPath = (directory: string) => `${directory}/checkpoint`;

/** The end of a file that starts behind its last newline, and the last whole line before it. */
export type SegmentTail = { size: number; lastLine: string | undefined; torn: Buffer };

export function readTail(path: string): SegmentTail {
  const fd = openFile(path);
  try {
    const size = fstatSync(fd).size;
    for (let want = TAIL_STEP; ; want *= 4) {
      const from = Math.max(0, size - want);
      const bytes = Buffer.alloc(size - from);
      readSync(fd, bytes, 0, bytes.length, from);
      const end = bytes.lastIndexOf(NEWLINE);
      const start = end > 0 ? bytes.lastIndexOf(NEWLINE, end - 1) : -1;
      if (start < 0 && from > 0) continue; // the line's beginning is not in the window
      const lastLine = end < 0 ? undefined : bytes.toString('utf8', start + 1, end);
      return { size, lastLine, torn: Buffer.from(bytes.subarray(end + 1)) };
    }
  } finally {
    closeSync(fd);
  }
}

/** The first line without its newline; undefined when there is no whole one. */
export function readFirstLine(path: string): string | undefined {
  const fd = openFile(path);
  try {
    for (let want = FIRST_STEP; want <= LONGEST_LINE * 4; want *= 4) {
      const bytes = Buffer.alloc(want);
      const got = readSync(fd, bytes, 0, want, 0);
      const end = bytes.subarray(0, got).indexOf(NEWLINE);
      if (end >= 0) return bytes.toString('utf8', 0, end);
      if (got < want) return undefined;
    }
    return undefined; // longer than any entry
  } finally {
    closeSync(fd);
  }
}

/** Whether there is a whole line in it. */
export const hasEntries = (directory: string) =>
  listSegments(directory).some((segment) => readFirstLine(segmentPath(directory, segment)) !== undefined);

/** Numbers from 1 on, with one spelling for each: any other is the name of no file of the log. */
const SEGMENT_NAME = /^(?:(?!0{6})\d{6}|[1-9]\d{6,14})\.jsonl$/;
const FIRST_STEP = 8 * 1024;
const TAIL_STEP = 64 * 1024;
const NEWLINE = 0x0a;
