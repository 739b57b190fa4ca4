import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { endOfLog, followEntries, lastEntries, readEntries } from '../../../../src/adapters/audit-log/entries.ts';
import { segmentPath } from '../../../../src/adapters/audit-log/segments.ts';
import { canonical } from '../../../../src/core/audit/canonical.ts';
import { type EntryWishes, entryFilter } from '../../../../src/core/audit/entry-filter.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

/** Lines of the right form; whether their hashes fit is not asked here. */
const line = (seq: number, more: object = {}): string =>
  `${canonical({ action: 'file_read', seq, time: time(seq), target: `/p/${seq}`, verdict: seq % 10 ? 'allow' : 'deny', ...more })}\n`;
const time = (seq: number): string => new Date(Date.UTC(2026, 10, 21) + seq * 1000).toISOString();

function logOf(...segments: string[][]): string {
  const directory = temporaryDirectory();
  for (const [at, lines] of segments.entries()) writeFileSync(segmentPath(directory, at + 1), lines.join(''));
  return directory;
}
const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, at) => line(from + at));
const last = (directory: string, count: number, wishes: EntryWishes = {}): number[] =>
  lastEntries(directory, entryFilter(wishes), count, endOfLog(directory)).map(({ record }) => record.seq);

describe('the last entries', () => {
  it('are found across files, oldest first', () => {
    const directory = logOf(numbers(1, 6), [], numbers(6, 9));
    expect(last(directory, 4)).toEqual([5, 6, 7, 8]);
    expect(last(directory, 0)).toEqual([]);
    expect(last(directory, 100)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('are the wanted ones, however far back, in a file of many steps', () => {
    const directory = logOf(numbers(1, 9000));
    expect(last(directory, 3, { verdicts: ['deny'] })).toEqual([8970, 8980, 8990]);
    expect(last(directory, 3, { target: '/p/7' })).toEqual([7]);
    expect(last(directory, 10_000)).toHaveLength(8999);
  });

  it('are whole where a line is longer than a step', () => {
    const long = line(2, { reason: 'x'.repeat(700_000) });
    expect(last(logOf([line(1), long, line(3)]), 3)).toEqual([1, 2, 3]);
    expect(last(logOf([long]), 3)).toEqual([2]);
  });

  it('leave out what a crash left, and what is no entry', () => {
    expect(last(logOf([line(1), 'no entry\n', line(2), '{"seq":3,"act']), 3)).toEqual([1, 2]);
    expect(last(logOf(['{"seq":3,"act']), 3)).toEqual([]);
  });

  it('leave out entries with members of other kinds, which nobody could show as what they are', () => {
    const odd = [
      { pid: '\x1b[31m' },
      { count: '2' },
      { target: 7 },
      { port: 1.5 },
      { until: {} },
      { other: [] },
      { v: '1' },
    ];
    const lines = odd.map((more, at) => `${JSON.stringify({ ...JSON.parse(line(at + 2)), ...more })}\n`);
    expect(last(logOf([line(1), ...lines, line(20)]), 30)).toEqual([1, 20]);
  });

  it('are found behind and before what is longer than any entry', () => {
    const directory = logOf([line(1)], [line(2)], [line(3)]);
    truncateSync(segmentPath(directory, 2), 64 * 2 ** 20); // a hole, which takes no room
    appendFileSync(segmentPath(directory, 2), `\n${line(4)}`);
    expect(last(directory, 2)).toEqual([4, 3]);
    truncateSync(segmentPath(directory, 1), 8 * 2 ** 20);
    truncateSync(segmentPath(directory, 2), 5);
    expect(
      [...readEntries(directory, entryFilter({}))].flatMap(({ entries }) => entries.map((one) => one.record.seq)),
    ).toEqual([1, 3]);
  });

  it.each(['a link', 'a FIFO'])('are not looked for in %s', (what) => {
    const directory = logOf([line(1)], [line(2)]);
    const path = segmentPath(directory, 2);
    rmSync(path);
    if (what === 'a link') symlinkSync(segmentPath(directory, 1), path);
    else spawnSync('mkfifo', [path]);
    for (const look of [() => last(directory, 3), () => [...readEntries(directory, entryFilter({}))]]) {
      expect(look).toThrow(expect.objectContaining({ code: 'GK_AUDIT_READ', where: path }));
    }
  });

  it('since a time are found without reading the files before it', () => {
    const directory = logOf(numbers(1, 6), numbers(6, 9), numbers(9, 12));
    rmSync(segmentPath(directory, 1));
    expect(last(directory, 100, { since: Date.parse(time(8)) })).toEqual([8, 9, 10, 11]);
  });
});

it('all entries are read with the lines that they stand in, and those that are none are counted', () => {
  const directory = logOf([line(1), '\n', line(2)], [line(3)]);
  const batches = [...readEntries(directory, entryFilter({}))];
  expect(batches.flatMap(({ entries }) => entries.map((entry) => `${entry.line}\n`))).toEqual(
    [1, 2, 3].map((seq) => line(seq)),
  );
  expect(batches.map(({ lines, strange }) => [lines, strange])).toEqual([
    [3, 1],
    [1, 0],
  ]);
});

describe('following', () => {
  it('goes on over new files and removed ones, and waits for the rest of a line', async () => {
    const directory = logOf(numbers(1, 4));
    const stop = new AbortController();
    const seen: number[] = [];
    const more = [
      () => appendFileSync(segmentPath(directory, 1), line(4)),
      () => {
        writeFileSync(segmentPath(directory, 2), line(5) + line(6).slice(0, 30));
        rmSync(segmentPath(directory, 1));
      },
      () => appendFileSync(segmentPath(directory, 2), line(6).slice(30)),
      () => stop.abort(),
    ];
    const steps = [3, 4, 5, 6];
    for await (const { entries } of followEntries(directory, entryFilter({}), { segment: 1, offset: 0 }, stop.signal)) {
      seen.push(...entries.map(({ record }) => record.seq));
      if (seen.at(-1) === steps[0]) {
        steps.shift();
        more.shift()?.();
      }
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    expect(readFileSync(segmentPath(directory, 2), 'utf8')).toBe(line(5) + line(6));
  });
});
