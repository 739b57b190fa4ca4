import { expect, test } from 'vitest';
import type { AuditRecord } from '../../src/core/audit/record.ts';
import { fitsSchema, inSchema } from '../support/record-schema.ts';

const record: AuditRecord = {
  v: 1,
  seq: 7,
  prev: 'a'.repeat(64),
  hash: 'b'.repeat(64),
  sig: `${'A'.repeat(86)}==`,
  action: 'file_read',
  time: '2026-11-21T06:00:00.123Z',
  run: 'r1',
  n: 3,
  verdict: 'deny',
  source: 'rule',
  target: '/\\\\xff',
  targetBytes: 'L/8=',
};
const { sig: _sig, ...unsigned } = record;

test('the schema of records takes a record', () => {
  expect(fitsSchema(record)).toBe(true);
  expect(fitsSchema({ ...unsigned, verdict: 'allow', result: 'ok', grant: 'a1', approver: 'me' })).toBe(true);
  expect(fitsSchema({ ...unsigned, action: 'connection_closed', verdict: undefined })).toBe(false);
  expect(fitsSchema({ ...record, action: 'action-9' })).toBe(true);
});

test.each<[string, object]>([
  ['another version', { ...record, v: 2 }],
  ['a member that it does not know', { ...record, verdicts: 'allow' }],
  ['a member of another action', { ...record, bytesUp: 5 }],
  ['a decision without a verdict', (({ verdict: _verdict, ...rest }) => rest)(record)],
  ['another verdict', { ...record, verdict: 'perhaps' }],
  ['a denial without a signature', unsigned],
  ['bytes without their text', (({ target: _target, ...rest }) => rest)(record)],
  ['a number that is none', { ...record, n: '3' }],
  ['an action that there is none of', { ...record, action: 'anything' }],
  ['another time', { ...record, time: '21 November' }],
])('the schema of records refuses %s', (_name, other) => {
  expect(fitsSchema(other)).toBe(false);
  expect(() => inSchema([{ ...(other as AuditRecord), hash: 'c'.repeat(64) }])).toThrow();
});
