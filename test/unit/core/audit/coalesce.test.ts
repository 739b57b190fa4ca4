import { describe, expect, test } from 'vitest';
import { coalesce } from '../../../../src/core/audit/coalesce.ts';
import type { AuditFields } from '../../../../src/core/audit/record.ts';

const at = (n: number) => `2026-11-21T06:00:00.${String(n).padStart(3, '0')}Z`;
const refusal = (n: number, target: string, more: Partial<AuditFields> = {}): AuditFields => ({
  action: 'file_read',
  verdict: 'deny',
  time: at(n),
  n,
  target,
  ...more,
});

test('the same refusal again and again is one receipt with a count and the time of the last', () => {
  expect(coalesce([refusal(1, '/a'), refusal(2, '/a'), refusal(3, '/a')])).toEqual([
    refusal(1, '/a', { count: 3, until: at(3), through: 3 }),
  ]);
});

test('a refusal that came once stays as it is', () => {
  const receipts = [refusal(1, '/a'), refusal(2, '/b')];
  expect(coalesce(receipts)).toEqual(receipts);
});

test('refusals that alternate are put together too, and the last receipt says how far they go', () => {
  expect(coalesce([refusal(1, '/a'), refusal(2, '/b'), refusal(3, '/a')])).toEqual([
    refusal(1, '/a', { count: 2, until: at(3) }),
    refusal(2, '/b', { through: 3 }),
  ]);
});

test.each([
  ['another process', { pid: 7 }],
  ['another program', { program: '/bin/x' }],
  ['another verdict', { verdict: 'would-deny' as const }],
  ['other bytes behind the same text', { targetBytes: '/w==' }],
])('%s is another refusal', (_name, more) => {
  expect(coalesce([refusal(1, '/a'), refusal(2, '/a', more)])).toHaveLength(2);
});

test('anything else in between keeps its place', () => {
  const allow = refusal(2, '/a', { verdict: 'allow' });
  const gap: AuditFields = { action: 'gap', time: at(4), count: 3 };
  const receipts = [refusal(1, '/a'), allow, refusal(3, '/a'), gap, refusal(7, '/a')];
  expect(coalesce(receipts)).toEqual(receipts);
});

test('allowed calls are never put together', () => {
  const receipts = [1, 2, 3].map((n) => refusal(n, '/a', { verdict: 'allow' }));
  expect(coalesce(receipts)).toEqual(receipts);
});

test('however much of it was written, what was not is read again: nothing is lost', () => {
  const targets = [...'abacbaaccbabcaab'];
  const receipts = targets.map((target, at) => refusal(at + 1, target, target === 'c' ? { verdict: 'allow' } : {}));
  const whole = coalesce(receipts);
  for (let written = 0; written <= whole.length; written++) {
    const kept = whole.slice(0, written);
    const from = Math.max(0, ...kept.map(({ n, through }) => through ?? n ?? 0));
    const again = coalesce(receipts.filter(({ n }) => n! > from));
    for (const name of 'abc') {
      const counted = [...kept, ...again].filter(({ target }) => target === name);
      const times = counted.reduce((sum, { count = 1 }) => sum + count, 0);
      const all = targets.filter((target) => target === name).length;
      expect(times).toBeGreaterThanOrEqual(all);
      if (written === whole.length) expect(times).toBe(all);
    }
  }
});

describe('results', () => {
  const allowed = (n: number, target: string, more: Partial<AuditFields> = {}) =>
    refusal(n, target, { verdict: 'allow', ...more });
  const result = (n: number, of: number, name: string): AuditFields => ({
    action: 'result',
    time: at(n),
    n,
    of,
    result: name,
  });

  test('go into the receipt of what was allowed, which covers their number', () => {
    expect(coalesce([allowed(1, '/a'), result(2, 1, 'ENOENT')])).toEqual([
      allowed(1, '/a', { result: 'ENOENT', through: 2 }),
    ]);
  });

  test('stay on their own when the receipt is in the log already', () => {
    expect(coalesce([result(9, 4, 'ok')])).toEqual([result(9, 4, 'ok')]);
  });

  test('of two decisions for one call go to each', () => {
    expect(coalesce([allowed(1, '/a'), allowed(2, '/b'), result(3, 1, 'ok'), result(4, 2, 'ok')])).toEqual([
      allowed(1, '/a', { result: 'ok' }),
      allowed(2, '/b', { result: 'ok', through: 4 }),
    ]);
  });

  test('do not stand between refusals that are one', () => {
    expect(coalesce([allowed(1, '/a'), refusal(2, '/x'), result(3, 1, 'ok'), refusal(4, '/x')])).toEqual([
      allowed(1, '/a', { result: 'ok' }),
      refusal(2, '/x', { count: 2, until: at(4), through: 4 }),
    ]);
  });

  test('that differ make simulated refusals two, and those that are missing keep their number', () => {
    const would = (n: number, more: Partial<AuditFields> = {}) => refusal(n, '/x', { verdict: 'would-deny', ...more });
    const told = [would(1), result(2, 1, 'ok'), would(3), result(4, 3, 'EMFILE'), would(5), result(6, 5, 'ok')];
    expect(coalesce([...told, would(7), would(8)])).toEqual([
      would(1, { result: 'ok', count: 2, until: at(5), through: 2 }),
      would(3, { result: 'EMFILE', through: 6 }),
      would(7),
      would(8),
    ]);
    expect(coalesce([1, 2, 3].map((n) => would(n, { enforce: 'hook' })))).toHaveLength(1);
  });

  test('a second one for the same receipt changes nothing that was said', () => {
    expect(coalesce([allowed(1, '/a'), result(2, 1, 'ok'), result(3, 1, 'EIO')])).toEqual([
      allowed(1, '/a', { result: 'ok', through: 2 }),
      result(3, 1, 'EIO'),
    ]);
  });

  test('a gap between is read again if it was not written', () => {
    const gap: AuditFields = { action: 'gap', time: at(3), count: 1 };
    expect(coalesce([allowed(1, '/a'), gap, result(3, 1, 'ok')])).toEqual([
      allowed(1, '/a', { result: 'ok' }),
      { ...gap, through: 3 },
    ]);
  });

  test('whatever part was written, each result that is read again finds its receipt or stands alone, and none is lost', () => {
    const receipts = [
      allowed(1, '/a'),
      allowed(2, '/b'),
      refusal(3, '/x'),
      result(4, 2, 'EIO'),
      refusal(5, '/x'),
      result(6, 1, 'ok'),
    ];
    const whole = coalesce(receipts);
    for (let written = 0; written <= whole.length; written++) {
      const kept = whole.slice(0, written);
      const from = Math.max(0, ...kept.map(({ n, through }) => through ?? n ?? 0));
      const all = [...kept, ...coalesce(receipts.filter(({ n }) => n! > from))];
      for (const [of, name] of [
        [1, 'ok'],
        [2, 'EIO'],
      ]) {
        const said = all.filter((one) =>
          one.action === 'result' ? one.of === of : one.n === of && one.result !== undefined,
        );
        expect(new Set(said.map(({ result: one }) => one))).toEqual(new Set([name]));
      }
    }
  });
});
