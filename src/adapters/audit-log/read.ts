import { isUtf8 } from 'node:buffer';
import { closeSync, fstatSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { LONGEST_LINE } from '../../core/audit/chain-verifier.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { isOfItsKinds } from '../../core/audit/record-members.ts';
import { NotAFile, openFile, readSmallFile } from './line-reader.ts';
import { checkpointPath, listSegments, segmentPath } from './segments.ts';

/**
 * One line of the log without its newline. `text` is undefined when the bytes are not UTF-8; `torn` marks bytes behind the last
 * newline, which a writer may be about to finish. `end`: offset behind the line in its file.
 */
export type LogLine = { segment: number; text: string | undefined; torn?: true };
export type LogPlace = { segment: number; offset: number };
export type LogBatch = { lines: LogLine[]; end: LogPlace };

/** The log's lines in batches, from the beginning of a file on. Reads in large steps, without the event loop: give way between batches. */
export function* readLog(directory: string, fromSegment = 0): Generator<LogLine[]> {
  for (const { lines } of readBatches(directory, { segment: fromSegment, offset: 0 })) yield lines;
}

/** Records from a sequence number on. Lines that are no record are passed over: only verification judges them. */
export function* readRecords(directory: string, fromSeq = 0): Generator<AuditRecord[]> {
  for (const { lines } of readBatches(directory, { segment: segmentHolding(directory, fromSeq), offset: 0 })) {
    yield toRecords(lines).filter((record) => record.seq >= fromSeq);
  }
}

export function findRecord(directory: string, seq: number): AuditRecord | undefined {
  for (const records of readRecords(directory, seq)) {
    const found = records.find((record) => record.seq === seq);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The last records, oldest first. Reads no more of the log than they take. */
export function tailRecords(directory: string, count: number): AuditRecord[] {
  let kept: AuditRecord[] = [];
  for (const segment of listSegments(directory).reverse()) {
    if (kept.length >= count) break;
    kept = [...tailOfSegment(segmentPath(directory, segment), segment, count - kept.length), ...kept];
  }
  return kept;
}

/** Records as they are written, from behind `afterSeq` on, until the signal. */
export async function* followRecords(
  directory: string,
  afterSeq: number,
  signal: AbortSignal,
): AsyncGenerator<AuditRecord> {
  let place: LogPlace = { segment: segmentHolding(directory, afterSeq + 1), offset: 0 };
  while (!signal.aborted) {
    for (const { lines, end } of readBatches(directory, place)) {
      for (const record of toRecords(lines)) if (record.seq > afterSeq) yield record;
      place = end;
    }
    await sleep(FOLLOW_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** The signed note of the last checkpoint, or undefined when there is none. What cannot be one is an empty text: a link, a device, a long file. */
export function readCheckpointFile(directory: string): string | undefined {
  try {
    return readSmallFile(checkpointPath(directory), LONGEST_NOTE)?.toString() ?? '';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof NotAFile) return '';
    throw error;
  }
}

/** Lines in batches from a place on, each with the place behind it. A file that is removed meanwhile, as old ones are, is passed over. */
export function* readBatches(directory: string, from: LogPlace): Generator<LogBatch> {
  for (const segment of listSegments(directory)) {
    if (segment < from.segment) continue;
    try {
      yield* readSegment(segmentPath(directory, segment), segment, segment === from.segment ? from.offset : 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** `end` of a batch is always the start of a line. */
function* readSegment(path: string, segment: number, from: number): Generator<LogBatch> {
  const fd = openFile(path);
  try {
    let rest: Buffer = Buffer.alloc(0);
    let offset = from;
    for (let at = from; ; ) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const got = readSync(fd, chunk, 0, chunk.length, at);
      if (got === 0) break;
      at += got;
      const bytes = rest.length === 0 ? chunk.subarray(0, got) : Buffer.concat([rest, chunk.subarray(0, got)]);
      const end = bytes.lastIndexOf(NEWLINE);
      rest = bytes.subarray(end + 1);
      if (end >= 0) offset = at - rest.length;
      if (end >= 0) yield { lines: splitLines(bytes.subarray(0, end), segment), end: { segment, offset } };
      if (rest.length > 0 && got < chunk.length) {
        const text = isUtf8(rest) ? rest.toString() : undefined;
        yield { lines: [{ segment, text, torn: true }], end: { segment, offset } };
        break;
      }
      if (rest.length > LONGEST_LINE) rest = TOO_LONG;
    }
  } finally {
    closeSync(fd);
  }
}

function tailOfSegment(path: string, segment: number, count: number): AuditRecord[] {
  const fd = openFile(path);
  try {
    const size = fstatSync(fd).size;
    for (let want = TAIL_BYTES; ; want *= 4) {
      const from = Math.max(0, size - want);
      const bytes = Buffer.alloc(size - from);
      const got = readSync(fd, bytes, 0, bytes.length, from);
      const end = bytes.lastIndexOf(NEWLINE, got - 1);
      const start = from === 0 ? 0 : bytes.indexOf(NEWLINE) + 1; // what comes before may be half a line
      const records = end < start ? [] : toRecords(splitLines(bytes.subarray(start, end), segment));
      if (records.length >= count || from === 0) return records.slice(-count);
    }
  } finally {
    closeSync(fd);
  }
}

/** Decoding replaces what is not UTF-8, which would hide a changed byte: such lines give no text at all. */
export function splitLines(bytes: Buffer, segment: number): LogLine[] {
  if (isUtf8(bytes)) {
    return bytes
      .toString()
      .split('\n')
      .map((text) => ({ segment, text }));
  }
  const lines: LogLine[] = [];
  for (let at = 0; at <= bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, at);
    const line = bytes.subarray(at, newline < 0 ? bytes.length : newline);
    lines.push({ segment, text: isUtf8(line) ? line.toString() : undefined });
    at += line.length + 1;
  }
  return lines;
}

function toRecords(lines: readonly LogLine[]): AuditRecord[] {
  return lines.map(toRecord).filter((record) => record !== undefined);
}

/** Undefined for a line that is no record: only verification judges it. */
export function toRecord(line: LogLine): AuditRecord | undefined {
  if (line.text === undefined || line.torn) return undefined;
  try {
    const value: unknown = JSON.parse(line.text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { seq, time, action } = value as Partial<AuditRecord>;
    if (typeof seq !== 'number' || typeof time !== 'string' || typeof action !== 'string') return undefined;
    return isOfItsKinds(value) ? (value as AuditRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** The last segment whose first record is not behind `seq`: earlier ones hold only smaller numbers. */
export function segmentHolding(directory: string, seq: number): number {
  for (const segment of listSegments(directory).reverse()) {
    const first = readSegment(segmentPath(directory, segment), segment, 0).next().value?.lines[0];
    const record = first && toRecord(first);
    if (record !== undefined && record.seq <= seq) return segment;
  }
  return 0;
}

const LONGEST_NOTE = 64 * 1024;
/** In place of the beginning of a line that is longer than any entry, which it makes one that is no text. */
const TOO_LONG = Buffer.of(0xff);
const CHUNK_BYTES = 1024 * 1024;
const TAIL_BYTES = 64 * 1024;
const FOLLOW_MS = 200;
const NEWLINE = 0x0a;
