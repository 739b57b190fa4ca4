import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  JOURNAL_START,
  type JournalBatch,
  readJournal,
  removeSegments,
} from '../../../../src/adapters/supervisor/journal-reader.ts';
import { journalSegment, noteFrame, putRecord } from '../../../support/journal-file.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const frames = (first: number, count: number, size = 10) =>
  Array.from({ length: count }, (_, at) => noteFrame('x'.repeat(size), BigInt(first + at)));
const told = ({ items }: JournalBatch) =>
  items.map((item) => ('type' in item ? Number(item.number) : `${item.kind} ${item.count}`));
const RECORD = Math.ceil((8 + noteFrame('x'.repeat(10), 1n).length) / 8) * 8;

function journal(...segments: Omit<Parameters<typeof journalSegment>[0], 'run'>[]): string {
  const directory = temporaryDirectory();
  for (const segment of segments) {
    const name = `journal-${String(segment.segment ?? 1).padStart(6, '0')}`;
    writeFileSync(`${directory}/${name}`, journalSegment({ run: 'r', ...segment }));
  }
  return directory;
}

function change(directory: string, edit: (bytes: Buffer) => void): void {
  const bytes = readFileSync(`${directory}/journal-000001`);
  edit(bytes);
  writeFileSync(`${directory}/journal-000001`, bytes);
}

describe('reading a journal', () => {
  test('gives what is there, then only what is new', () => {
    const directory = journal({ frames: frames(1, 3) });
    const batch = readJournal(directory, 'r', JOURNAL_START);
    expect(told(batch)).toEqual([1, 2, 3]);
    expect(told(readJournal(directory, 'r', batch.position))).toEqual([]);
    change(directory, (bytes) => putRecord(bytes, batch.position.offset, noteFrame('new', 4n)));
    expect(told(readJournal(directory, 'r', batch.position))).toEqual([4]);
  });

  test('gives nothing before the journal exists', () => {
    expect(readJournal(journal(), 'r', JOURNAL_START)).toEqual({ items: [], position: JOURNAL_START });
  });

  test('goes on in the next segment at the mark, and stays when there is no mark', () => {
    const directory = journal(
      { frames: frames(1, 2), continues: true },
      { frames: frames(3, 2), segment: 2, first: 3n },
      { frames: frames(5, 1), segment: 3, first: 5n },
    );
    const batch = readJournal(directory, 'r', JOURNAL_START);
    expect(told(batch)).toEqual([1, 2, 3, 4]);
    expect(batch.position.segment).toBe(2);
    removeSegments(directory, 2);
    expect(readdirSync(directory)).toEqual(['journal-000002', 'journal-000003']);
  });

  test('goes on where a segment was removed before that was written down, and says what is missing', () => {
    const later = [
      { frames: frames(3, 2), segment: 2, first: 3n, continues: true },
      { frames: frames(5, 1), segment: 3, first: 5n },
    ];
    const taken = { ...JOURNAL_START, number: 2 };
    expect(told(readJournal(journal(...later), 'r', taken))).toEqual([3, 4, 5]);
    expect(told(readJournal(journal(later[1]!), 'r', taken))).toEqual(['gap 2', 5]);
  });

  test('passes over what was taken before, so that reading twice gives nothing twice', () => {
    const directory = journal({ frames: frames(1, 5) });
    expect(told(readJournal(directory, 'r', { ...JOURNAL_START, number: 3 }))).toEqual([4, 5]);
  });

  test('gives records of any size across its windows', () => {
    const directory = journal({ frames: frames(1, 40, 60_000) });
    const numbers: unknown[] = [];
    for (let position = JOURNAL_START; ; ) {
      const batch = readJournal(directory, 'r', position);
      if (batch.items.length === 0) break;
      numbers.push(...told(batch));
      position = batch.position;
    }
    expect(numbers).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
  });

  test('says how many numbers never came', () => {
    const directory = journal({ frames: [...frames(1, 2), ...frames(6, 1)] });
    expect(told(readJournal(directory, 'r', JOURNAL_START))).toEqual([1, 2, 'gap 3', 6]);
  });

  test.each<[string, (bytes: Buffer) => void, unknown[]]>([
    [
      'a record with a wrong checksum',
      (b) => b.fill(0xee, 4096 + RECORD + 40, 4096 + RECORD + 41),
      [1, `damage ${RECORD}`, 'gap 1', 3],
    ],
    [
      'a record with an impossible length',
      (b) => b.writeUInt32LE(5, 4096 + RECORD),
      [1, `damage ${RECORD}`, 'gap 1', 3],
    ],
    [
      'an impossible length and rubbish behind it',
      (b) => b.fill(0x77, 4096 + RECORD, 4096 + RECORD + 64),
      [1, `damage ${RECORD}`, 'gap 1', 3],
    ],
  ])('goes on behind %s', (_name, edit, expected) => {
    const directory = journal({ frames: frames(1, 3) });
    change(directory, edit);
    expect(told(readJournal(directory, 'r', JOURNAL_START))).toEqual(expected);
  });

  test('waits at the last record while it may still become whole, and gives it up at the end of the run', () => {
    const directory = journal({ frames: frames(1, 2) });
    change(directory, (bytes) => bytes.writeUInt32LE(5, 4096 + RECORD));
    const batch = readJournal(directory, 'r', JOURNAL_START);
    expect(told(batch)).toEqual([1]);
    expect(told(readJournal(directory, 'r', batch.position))).toEqual([]);
    const last = readJournal(directory, 'r', batch.position, true);
    expect(told(last)).toEqual(['damage 0']);
    expect(told(readJournal(directory, 'r', last.position, true))).toEqual([]);
  });

  test('reports a segment that ends inside a record when the next one exists', () => {
    const directory = journal({ frames: frames(1, 2) }, { frames: frames(3, 1), segment: 2, first: 3n });
    truncateSync(`${directory}/journal-000001`, 4096 + RECORD + 30);
    expect(told(readJournal(directory, 'r', JOURNAL_START))).toEqual([1, 'damage 0', 'gap 1', 3]);
  });

  test('does not take another run’s segment for its own', () => {
    const directory = journal({ frames: frames(1, 2) });
    expect(told(readJournal(directory, 'other', JOURNAL_START))).toEqual([]);
    expect(told(readJournal(directory, 'other', JOURNAL_START, true))).toEqual(['damage 0']);
  });
});
