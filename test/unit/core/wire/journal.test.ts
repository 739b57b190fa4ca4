import { describe, expect, test } from 'vitest';
import { crc32 } from '../../../../src/core/wire/crc32.ts';
import { journalItem, parseSegmentHeader } from '../../../../src/core/wire/journal.ts';
import { journalSegment, noteFrame } from '../../../support/journal-file.ts';

const segment = journalSegment({ run: 'run1', frames: [noteFrame('a', 1n), noteFrame('bb', 2n)], size: 8192 });
const second = 4096 + 8 + noteFrame('a', 1n).length + 7 - ((noteFrame('a', 1n).length + 7) % 8);

describe('crc32', () => {
  test.each([
    ['123456789', 0xcbf43926],
    ['', 0],
    ['The quick brown fox jumps over the lazy dog', 0x414fa339],
  ])('of %j is the published value', (text, value) => {
    expect(crc32(new TextEncoder().encode(text))).toBe(value);
  });
});

describe('a journal segment', () => {
  test('tells its number, size, run and first record', () => {
    expect(parseSegmentHeader(segment)).toEqual({ segment: 1, size: 8192n, run: 'run1', firstNumber: 1n });
  });

  test.each<[string, (bytes: Uint8Array) => void, string]>([
    ['magic', (b) => b.fill(0, 0, 1), 'the magic is not that of a journal'],
    ['start of records', (b) => b.fill(1, 9, 10), 'the records start at an unknown place'],
  ])('is refused for another %s', (_name, change, why) => {
    const bytes = segment.slice();
    change(bytes);
    expect(parseSegmentHeader(bytes)).toBe(why);
  });

  test('is read record by record up to where the writer is', () => {
    const first = journalItem(segment, 0, 4096);
    expect(first).toMatchObject({ kind: 'record', frame: { number: 1n }, next: second });
    const next = journalItem(segment, 0, second);
    expect(next).toMatchObject({ kind: 'record', frame: { number: 2n } });
    expect(journalItem(segment, 0, (next as { next: number }).next).kind).toBe('end');
  });

  test('says where the window ends before the record does', () => {
    expect(journalItem(segment.subarray(0, second + 20), 0, second)).toEqual({ kind: 'more', at: second });
    expect(journalItem(segment.subarray(4096, second + 4), 4096, second)).toEqual({ kind: 'more', at: second });
  });

  test('reports a changed record and where the next one starts', () => {
    const bytes = segment.slice();
    bytes[4096 + 8 + 30]! ^= 1;
    expect(journalItem(bytes, 0, 4096)).toEqual({ kind: 'damage', what: 'checksum differs', at: 4096, next: second });
  });

  test('reports a length that no record has', () => {
    const bytes = segment.slice();
    bytes.set([7, 0, 0, 0], 4096);
    expect(journalItem(bytes, 0, 4096)).toEqual({ kind: 'lost', what: 'a record of 7 bytes', at: 4096 });
  });

  test('continues in the next one at the mark', () => {
    const bytes = segment.slice();
    bytes.fill(0xff, 4096, 4100);
    expect(journalItem(bytes, 0, 4096)).toEqual({ kind: 'next-segment' });
  });
});
