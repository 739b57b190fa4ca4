import { expect, it } from 'vitest';
import { recordFilter } from '../../../src/cli/commands/audit-tail.ts';
import type { AuditRecord } from '../../../src/core/audit/record.ts';

const record = (fields: Partial<AuditRecord>) => fields as AuditRecord;

it.each([
  ['its identifier', 'r123', true],
  ['the beginning of it', 'r1', true],
  ['its name', 'claude', true],
  ['the beginning of its name', 'clau', false],
  ['another run', 'r2', false],
])('finds the records of a run by %s', (_name, wanted, found) => {
  expect(recordFilter(wanted, false)(record({ run: 'r123', agent: 'claude' }))).toBe(found);
});

it('gives records of no run only when none was asked for', () => {
  expect(recordFilter(undefined, false)(record({ action: 'daemon_start' }))).toBe(true);
  expect(recordFilter('r1', false)(record({ action: 'daemon_start' }))).toBe(false);
});

it.each([
  ['deny', true],
  ['would-deny', true],
  ['allow', false],
  [undefined, false],
] as const)('counts %s as denied: %s', (verdict, found) => {
  expect(recordFilter(undefined, true)(record(verdict ? { verdict } : {}))).toBe(found);
});
