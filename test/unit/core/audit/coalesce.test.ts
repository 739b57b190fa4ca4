import { expect, test } from 'vitest';
import { coalesceRefusals } from '../../../../src/core/audit/coalesce.ts';
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
  expect(coalesceRefusals([refusal(1, '/a'), refusal(2, '/a'), refusal(3, '/a')])).toEqual([
    refusal(1, '/a', { count: 3, until: at(3), through: 3 }),
  ]);
});

test('a refusal that came once stays as it is', () => {
  const receipts = [refusal(1, '/a'), refusal(2, '/b')];
  expect(coalesceRefusals(receipts)).toEqual(receipts);
});

test('refusals that alternate are put together too, and the last receipt says how far they go', () => {
  expect(coalesceRefusals([refusal(1, '/a'), refusal(2, '/b'), refusal(3, '/a')])).toEqual([
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
  expect(coalesceRefusals([refusal(1, '/a'), refusal(2, '/a', more)])).toHaveLength(2);
});

test('anything else in between keeps its place', () => {
  const allow = refusal(2, '/a', { verdict: 'allow' });
  const gap: AuditFields = { action: 'gap', time: at(4), count: 3 };
  const receipts = [refusal(1, '/a'), allow, refusal(3, '/a'), gap, refusal(7, '/a')];
  expect(coalesceRefusals(receipts)).toEqual(receipts);
});

test('allowed calls are never put together', () => {
  const receipts = [1, 2, 3].map((n) => refusal(n, '/a', { verdict: 'allow' }));
  expect(coalesceRefusals(receipts)).toEqual(receipts);
});

test('however much of it was written, what was not is read again: nothing is lost', () => {
  const targets = [...'abacbaaccbabcaab'];
  const receipts = targets.map((target, at) => refusal(at + 1, target, target === 'c' ? { verdict: 'allow' } : {}));
  const whole = coalesceRefusals(receipts);
  for (let written = 0; written <= whole.length; written++) {
    const kept = whole.slice(0, written);
    const from = Math.max(0, ...kept.map(({ n, through }) => through ?? n ?? 0));
    const again = coalesceRefusals(receipts.filter(({ n }) => n! > from));
    for (const name of 'abc') {
      const counted = [...kept, ...again].filter(({ target }) => target === name);
      const times = counted.reduce((sum, { count = 1 }) => sum + count, 0);
      const all = targets.filter((target) => target === name).length;
      expect(times).toBeGreaterThanOrEqual(all);
      if (written === whole.length) expect(times).toBe(all);
    }
  }
});
