import { closeSync, fstatSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { LONGEST_LINE } from '../../core/audit/chain-verifier.ts';
import type { EntryFilter } from '../../core/audit/entry-filter.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { openFile } from './line-reader.ts';
import { type LogLine, type LogPlace, readBatches, segmentHolding, splitLines, toRecord } from './read.ts';
import { listSegments, readFirstLine, segmentPath } from './segments.ts';

/** A wanted entry, and the line that it stands in, without the newline. */
export type LogEntry = { record: AuditRecord; line: string };
/** `lines`: how many were read for it. `strange`: how many of them, whole ones, are no entries. `end`: the place behind them. */
export type EntryBatch = { entries: LogEntry[]; lines: number; strange: number; end: LogPlace };

/** The wanted entries from the oldest on, in batches. Reads without the event loop: give way between batches. */
export function* readEntries(directory: string, filter: EntryFilter, start?: LogPlace): Generator<EntryBatch> {
  const from = start ?? { segment: firstSegmentSince(directory, filter.since), offset: 0 };
  for (const { lines, end } of readBatches(directory, from)) yield { ...select(lines, filter), end };
}

/** The wanted entries behind a place as they are written, until the signal. Yields what is there first, and an empty batch whenever there is no more. */
export async function* followEntries(
  directory: string,
  filter: EntryFilter,
  from: LogPlace,
  signal: AbortSignal,
): AsyncGenerator<EntryBatch> {
  let place = from;
  while (!signal.aborted) {
    for (const { lines, end } of readBatches(directory, place)) {
      place = end;
      yield { ...select(lines, filter), end };
      if (signal.aborted) return;
    }
    yield { entries: [], lines: 0, strange: 0, end: place };
    await sleep(FOLLOW_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** The entry of a number. */
export function findEntry(directory: string, seq: number): LogEntry | undefined {
  const needle = `"seq":${seq},`;
  const filter = {
    mayMatch: (line: string) => line.includes(needle),
    matches: (record: AuditRecord) => record.seq === seq,
  };
  for (const { lines } of readBatches(directory, { segment: segmentHolding(directory, seq), offset: 0 })) {
    const [found] = select(lines, filter).entries;
    if (found) return found;
  }
  return undefined;
}

/** A place before the entry of a number, in the same file. */
export const placeOf = (directory: string, seq: number): LogPlace => ({
  segment: segmentHolding(directory, seq),
  offset: 0,
});

/** Which log it is, as its files begin, and the first entry that is still there. */
export function logIdentity(directory: string): { log: string | undefined; first: number | undefined } {
  for (const segment of listSegments(directory)) {
    const line = readFirstLine(segmentPath(directory, segment));
    const record = line === undefined ? undefined : toRecord({ segment, text: line });
    if (record !== undefined) return { log: record.log, first: record.seq };
  }
  return { log: undefined, first: undefined };
}

/** Where the log ends now, behind its last whole line. */
export function endOfLog(directory: string): LogPlace {
  const segment = listSegments(directory).at(-1);
  if (segment === undefined) return { segment: 0, offset: 0 };
  const fd = openFile(segmentPath(directory, segment));
  try {
    for (let end = fstatSync(fd).size; end > 0; ) {
      const from = Math.max(0, end - STEP_BYTES);
      const newline = readRange(fd, from, end).lastIndexOf(NEWLINE);
      if (newline >= 0) return { segment, offset: from + newline + 1 };
      end = from;
    }
    return { segment, offset: 0 };
  } finally {
    closeSync(fd);
  }
}

/** The last wanted entries before a place, oldest first. Reads backwards, and no more of the log than it takes to find them. */
export function lastEntries(directory: string, filter: EntryFilter, count: number, before: LogPlace): LogEntry[] {
  const found: LogEntry[] = [];
  for (const entry of count > 0 ? entriesBack(directory, filter, before) : []) {
    found.push(entry);
    if (found.length === count) break;
  }
  return found.reverse();
}

/** The wanted entries before a place, the newest first. */
export function* entriesBack(directory: string, filter: EntryFilter, before = END): Generator<LogEntry> {
  const oldest = firstSegmentSince(directory, filter.since);
  for (const segment of listSegments(directory).reverse()) {
    if (segment > before.segment || segment < oldest) continue;
    for (const line of linesBack(
      segmentPath(directory, segment),
      segment === before.segment ? before.offset : Infinity,
    )) {
      if (!filter.mayMatch(line)) continue;
      const record = toRecord({ segment, text: line });
      if (record !== undefined && filter.matches(record)) yield { record, line };
    }
  }
}

/**
 * The file in which the first entry since a time can be. A file's first entry has the clock of who writes the log, and nothing is written before it
 * happens: what lies in the files before one that was begun earlier happened earlier.
 */
function firstSegmentSince(directory: string, since: number | undefined): number {
  if (since === undefined) return 0;
  for (const segment of listSegments(directory).reverse()) {
    const line = readFirstLine(segmentPath(directory, segment));
    const record = line === undefined ? undefined : toRecord({ segment, text: line });
    if (record !== undefined && Date.parse(record.time) < since) return segment;
  }
  return 0;
}

function select(lines: readonly LogLine[], filter: Pick<EntryFilter, 'mayMatch' | 'matches'>): Omit<EntryBatch, 'end'> {
  const entries: LogEntry[] = [];
  let strange = 0;
  let whole = 0;
  for (const line of lines) {
    if (line.torn) continue;
    whole += 1;
    if (line.text !== undefined && !filter.mayMatch(line.text)) continue;
    const record = toRecord(line);
    if (record === undefined) strange += 1;
    else if (filter.matches(record)) entries.push({ record, line: line.text! });
  }
  return { entries, lines: whole, strange };
}

/** Whole lines of a file from an offset back to its beginning. */
function* linesBack(path: string, before: number): Generator<string> {
  const fd = openIfThere(path);
  if (fd === undefined) return;
  try {
    let end = Math.min(before, fstatSync(fd).size);
    for (let step = STEP_BYTES; end > 0; ) {
      const from = Math.max(0, end - step);
      const bytes = readRange(fd, from, end);
      const stop = bytes.lastIndexOf(NEWLINE);
      // What stands before the first newline may be the end of a line that begins further ahead.
      const start = from === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
      if (stop < start) {
        if (from === 0) return;
        if (end - from > LONGEST_LINE)
          end = from; // no entry is as long as that
        else step *= 4;
        continue;
      }
      const lines = splitLines(bytes.subarray(start, stop), 0);
      for (let at = lines.length - 1; at >= 0; at--) {
        const { text } = lines[at]!;
        if (text !== undefined) yield text;
      }
      end = from + start;
      step = STEP_BYTES;
    }
  } finally {
    closeSync(fd);
  }
}

function readRange(fd: number, from: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafe(end - from);
  return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, from));
}

function openIfThere(path: string): number | undefined {
  try {
    return openFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const END: LogPlace = { segment: Number.POSITIVE_INFINITY, offset: Number.POSITIVE_INFINITY };
const STEP_BYTES = 256 * 1024;
const FOLLOW_MS = 200;
const NEWLINE = 0x0a;
