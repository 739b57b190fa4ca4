import { crc32 } from './crc32.ts';
import { type Frame, MalformedFrame, parseFrame } from './frame.ts';
import {
  FRAME_HEADER_BYTES,
  FRAME_MAX_BYTES,
  JOURNAL_HEADER_BYTES,
  JOURNAL_MAGIC,
  JOURNAL_SEGMENT_END,
} from './messages.ts';

export type SegmentHeader = { segment: number; size: bigint; run: string; firstNumber: bigint };

/** Reads a segment's header, or says in one sentence what is wrong with it. */
export function parseSegmentHeader(bytes: Uint8Array): SegmentHeader | string {
  if (bytes.length < SEGMENT_HEADER_USED) return 'the header is cut short';
  for (let at = 0; at < JOURNAL_MAGIC.length; at++) {
    if (bytes[at] !== JOURNAL_MAGIC.charCodeAt(at)) return 'the magic is not that of a journal';
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(8, true) !== JOURNAL_HEADER_BYTES) return 'the records start at an unknown place';
  return {
    segment: view.getUint32(12, true),
    size: view.getBigUint64(16, true),
    run: trimmedAscii(bytes.subarray(24, 56)),
    firstNumber: view.getBigUint64(56, true),
  };
}

export type JournalItem =
  | { kind: 'record'; frame: Frame; next: number }
  /** A record that is no frame; `next` is where the one behind it starts. */
  | { kind: 'damage'; what: string; at: number; next: number }
  /** A length that no record has: nothing behind it in this segment can be found. */
  | { kind: 'lost'; what: string; at: number }
  /** The bytes at hand end inside a record: come back with more, from `at`. */
  | { kind: 'more'; at: number }
  /** The writer has not written further yet. */
  | { kind: 'end'; at: number }
  | { kind: 'next-segment' };

/** Reads the item at an offset into `window`, which holds the bytes of a segment from `base` on. */
export function journalItem(window: Uint8Array, base: number, at: number): JournalItem {
  const start = at - base;
  if (start + RECORD_HEADER_BYTES > window.length) return { kind: 'more', at };
  const view = new DataView(window.buffer, window.byteOffset + start, window.length - start);
  const length = view.getUint32(0, true);
  if (length === 0) return { kind: 'end', at };
  if (length === JOURNAL_SEGMENT_END) return { kind: 'next-segment' };
  if (length < FRAME_HEADER_BYTES || length > FRAME_MAX_BYTES) {
    return { kind: 'lost', what: `a record of ${length} bytes`, at };
  }
  if (start + RECORD_HEADER_BYTES + length > window.length) return { kind: 'more', at };
  const next = alignRecord(at + RECORD_HEADER_BYTES + length);
  const bytes = window.subarray(start + RECORD_HEADER_BYTES, start + RECORD_HEADER_BYTES + length);
  if (crc32(bytes) !== view.getUint32(4, true)) return { kind: 'damage', what: 'checksum differs', at, next };
  const frame = parseFrame(bytes);
  return frame instanceof MalformedFrame
    ? { kind: 'damage', what: frame.message, at, next }
    : { kind: 'record', frame, next };
}

/** Bytes that hold any record whole. */
export const RECORD_MAX_BYTES = 8 + FRAME_MAX_BYTES;

export const alignRecord = (offset: number) => Math.ceil(offset / 8) * 8;

export function segmentName(segment: number): string {
  return `journal-${String(segment).padStart(6, '0')}`;
}

function trimmedAscii(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end));
}

const RECORD_HEADER_BYTES = 8;
const SEGMENT_HEADER_USED = 64;
