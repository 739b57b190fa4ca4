import { existsSync, unlinkSync as unlinkNow } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { tailRecords } from '../../../../src/adapters/audit-log/read.ts';
import { Retention, type RetentionOptions } from '../../../../src/adapters/audit-log/retention.ts';
import { listSegments, segmentPath } from '../../../../src/adapters/audit-log/segments.ts';
import { denied } from '../../../support/audit-chain.ts';
import { auditLogFixture } from '../../../support/audit-log-fixture.ts';

const DAY = 86_400_000;
const time = (day: number) => new Date(Date.UTC(2026, 0, 1) + day * DAY).toISOString();

/** A log of several files, one a day, each with the same number of entries. */
async function logOfDays(days: number) {
  const fixture = auditLogFixture();
  let day = 0;
  const now = () => time(day);
  const log = await fixture.open({ now, segmentAgeMs: DAY / 2 });
  for (; day < days; day++) await log.append([denied(`/${day}`), denied(`/${day}/more`)]);
  const { directory } = fixture;
  expect(listSegments(directory)).toHaveLength(days);
  const retention = (options: Partial<RetentionOptions>) =>
    new Retention({
      directory,
      log,
      keep: {},
      anchored: async () => true,
      neededFrom: () => Number.POSITIVE_INFINITY,
      now,
      ...options,
    });
  return { ...fixture, log, retention };
}

const PER_FILE = 3; // with the entry that each begins with
const ended = async (log: { close: () => Promise<void> }, verify: () => Promise<unknown>) => {
  await log.close();
  return verify();
};

describe('files of the log that are too many', () => {
  test('are kept for ever when nothing else is said', async () => {
    const { directory, log, retention } = await logOfDays(4);
    expect(await retention({}).run()).toBe(0);
    expect(listSegments(directory)).toEqual([1, 2, 3, 4]);
    await log.close();
  });

  test('go when all that is in them is too old, and that they go is signed first', async () => {
    const { directory, log, verify, retention } = await logOfDays(6);
    const seen: number[][] = [];
    const anchored = async () => {
      seen.push(listSegments(directory));
      return true;
    };
    // It is day 6: the third file ended when the fourth began, on day 3.
    expect(await retention({ keep: { keepAgeMs: 2.5 * DAY }, anchored }).run()).toBe(3);
    expect(seen).toEqual([
      [1, 2, 3, 4, 5, 6],
      [1, 2, 3, 4, 5, 6, 7],
    ]);
    expect(listSegments(directory)).toEqual([4, 5, 6, 7]);
    expect(tailRecords(directory, 1)).toMatchObject([
      { action: 'pruned', segment: 3, last: 3 * PER_FILE, count: 3 * PER_FILE, sig: expect.any(String) },
    ]);
    expect(await ended(log, verify)).toMatchObject({ ok: true });
  });

  test('go until the rest is small enough, and the file that is written to never does', async () => {
    const { directory, log, verify, retention } = await logOfDays(5);
    expect(await retention({ keep: { keepBytes: 1 } }).run()).toBe(4);
    expect(listSegments(directory)).toEqual([5, 6]);
    expect(await retention({ keep: { keepBytes: 1 } }).run()).toBe(1);
    expect(listSegments(directory)).toEqual([6]);
    expect(await ended(log, verify)).toMatchObject({ ok: true });
  });

  test.each([
    ['stay when nobody outside has a checkpoint of their end', { anchored: async () => false }, [1, 2, 3, 4], 0],
    [
      'stay when nobody outside takes the checkpoint that they go',
      { anchored: async (size: number) => size <= 4 * PER_FILE },
      [1, 2, 3, 4, 5],
      1,
    ],
    ['stay from that on which a run needs', { neededFrom: () => PER_FILE + 1 }, [2, 3, 4, 5], 1],
    ['stay when a run needs an entry of the first', { neededFrom: () => PER_FILE }, [1, 2, 3, 4], 0],
  ])('%s', async (_name, options, left, announced) => {
    const { directory, log, verify, retention } = await logOfDays(4);
    await retention({ keep: { keepBytes: 1 }, ...options }).run();
    expect(listSegments(directory)).toEqual(left);
    expect(tailRecords(directory, 100).filter(({ action }) => action === 'pruned')).toHaveLength(announced);
    expect(await ended(log, verify)).toMatchObject({ ok: true });
  });

  test.each([0, 1, 2])(
    'are gone after the next start when the process died with %s of them removed',
    async (removed) => {
      const { directory, log, verify, kinds, open, retention } = await logOfDays(4);
      let left = removed;
      const unlink = (path: string) => {
        if (left-- === 0) throw new Error('killed');
        unlinkNow(path);
      };
      await expect(retention({ keep: { keepBytes: 1 }, unlink }).run()).rejects.toThrow('killed');
      expect(existsSync(segmentPath(directory, 3))).toBe(true);
      await log.close();
      expect(await kinds()).toEqual([]);
      const again = await open();
      expect(await retention({ log: again }).finish()).toBe(3 - removed);
      expect(listSegments(directory)).toEqual([4, 5]);
      expect(await retention({ log: again }).finish()).toBe(0);
      expect(await ended(again, verify)).toMatchObject({ ok: true });
    },
  );
});
