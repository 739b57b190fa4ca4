import { describe, expect, it } from 'vitest';
import { canonical } from '../../../../src/core/audit/canonical.ts';
import { type EntryWishes, entryFilter } from '../../../../src/core/audit/entry-filter.ts';
import type { AuditRecord } from '../../../../src/core/audit/record.ts';

const TIME = '2026-11-21T06:00:00.123Z';
const found = (wishes: EntryWishes, fields: Partial<AuditRecord>): boolean => {
  const record = { action: 'file_read', time: TIME, ...fields } as AuditRecord;
  const { matches, mayMatch } = entryFilter(wishes);
  // What stands in the line may never hide what the record has.
  if (matches(record)) expect(mayMatch(canonical(record))).toBe(true);
  return matches(record) && mayMatch(canonical(record));
};

describe('entries of a run', () => {
  it.each([
    ['its identifier', 'r123', true],
    ['the beginning of it', 'r1', true],
    ['its name', 'my "claude"', true],
    ['the beginning of its name', 'my', false],
    ['another run', 'r2', false],
  ])('are found by %s', (_name, run, expected) => {
    expect(found({ run }, { run: 'r123', agent: 'my "claude"' })).toBe(expected);
  });

  it('are all entries only when no run was asked for', () => {
    expect(found({}, { action: 'daemon_start' })).toBe(true);
    expect(found({ run: 'r1' }, { action: 'daemon_start' })).toBe(false);
  });
});

it.each([
  [['deny'], { verdict: 'deny' }, true],
  [['deny'], { verdict: 'would-deny' }, false],
  [['deny', 'would-deny'], { verdict: 'would-deny' }, true],
  [['allow'], { verdict: 'allow' }, true],
  [['allow'], {}, false],
  [['ask'], { verdict: 'deny', source: 'silence' }, true],
  [['ask'], { verdict: 'allow', approver: 'me' }, true],
  [['ask'], { verdict: 'deny', source: 'rule' }, false],
] as const)('the verdicts %j take %j: %s', (verdicts, fields, expected) => {
  expect(found({ verdicts }, fields)).toBe(expected);
});

it('several actions take any of them', () => {
  const actions = ['network', 'run_end'];
  expect([found({ actions }, { action: 'run_end' }), found({ actions }, { action: 'file_read' })]).toEqual([
    true,
    false,
  ]);
});

it.each([
  ['2026-11-21T06:00:00.123Z', {}, true],
  ['2026-11-21T06:00:00.124Z', {}, false],
  ['2026-11-21T06:00:00.124Z', { until: '2026-11-21T06:10:00.000Z' }, true],
])('what was, or was last, since %s: %j %s', (since, fields, expected) => {
  expect(found({ since: Date.parse(since) }, fields)).toBe(expected);
});

it.each([
  ['.env', { target: '/home/me/p/.env' }, true],
  ['.env', { target: '/home/me/p/x.env' }, false],
  ['*.env', { target: '/home/me/p/x.env' }, true],
  ['/etc/', { target: '/etc' }, true],
  ['/etc/', { target: '/etc/ssl/private/key' }, true],
  ['/etc/', { target: '/etcetera' }, false],
  ['/etc', { target: '/etc/passwd' }, false],
  ['/etc/*', { target: '/etc/a\nb/c' }, true],
  ['src/', { target: '/p/src/deep/file' }, true],
  ['b', { target: '/a', target2: '/x/b' }, true],
  ['git push*', { command: 'git push origin main' }, true],
  ['push', { command: 'git push' }, false],
  ['example.com', { destination: 'example.com', port: 443 }, true],
  ['example.com:443', { destination: 'example.com', port: 443 }, true],
  ['example.com:80', { destination: 'example.com', port: 443 }, false],
  ['*.example.com', { destination: 'a.b.example.com', port: 443 }, true],
  ['*.example.com', { destination: 'example.com', port: 443 }, false],
  ['192.0.2.*', { destination: 'a.example', address: '192.0.2.7', port: 80 }, true],
  ['[2001:db8::1]:443', { destination: '2001:db8::1', port: 443 }, true],
  ['a.example/v1/*', { destination: 'a.example', port: 443, method: 'GET', path: '/v1/x' }, true],
  ['*.{js,{c,m}ts}', { target: '/a/b.mts' }, true],
  ['*.{js,{c,m}ts}', { target: '/a/b.ts' }, false],
  ['/a/[b-d]?[!x]', { target: '/a/céy' }, true],
  ['/a/[b-d]?[!x]', { target: '/a/ceéx' }, false],
  ['/a/\\*', { target: '/a/*' }, true],
  ['/a/\\*', { target: '/a/b' }, false],
  ['{a}', { target: '/{a}' }, true],
  ['[a', { target: '/[a' }, true],
] as const)('the target %s takes %j: %s', (target, fields, expected) => {
  expect(found({ target }, fields)).toBe(expected);
});

it('a pattern made to be slow is not', () => {
  const began = performance.now();
  expect(found({ target: `/${'*a'.repeat(50)}*b` }, { target: `/${'a'.repeat(20_000)}` })).toBe(false);
  expect(performance.now() - began).toBeLessThan(5000);
  expect(() => entryFilter({ target: '{a,b}'.repeat(20) })).toThrow(RangeError);
});
