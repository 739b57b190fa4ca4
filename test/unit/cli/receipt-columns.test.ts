import { describe, expect, it } from 'vitest';
import { clockTime } from '../../../src/cli/render/clock.ts';
import { ReceiptColumns } from '../../../src/cli/render/receipt-columns.ts';
import { widthOf } from '../../../src/cli/render/width.ts';
import type { AuditRecord } from '../../../src/core/audit/record.ts';

const record = (fields: Partial<AuditRecord>): AuditRecord =>
  ({
    action: 'file_read',
    time: '2026-11-21T06:00:00.123Z',
    seq: 17,
    hash: 'h',
    prev: 'p',
    v: 1,
    ...fields,
  }) as AuditRecord;
const LONG = `/home/me/${'deep/'.repeat(40)}.env`;
const RECORDS = [
  record({
    verdict: 'deny',
    target: LONG,
    program: '/usr/bin/node',
    pid: 41_234,
    rule: 'preset:default.yaml:58',
    reason: 'secrets stay here',
    count: 17,
  }),
  record({
    seq: 1800,
    action: 'shell_exec',
    verdict: 'allow',
    command: 'git push --force-with-lease origin main',
    program: '/usr/bin/bash',
    pid: 7,
    result: 'ENOEXEC',
  }),
  record({
    seq: 3,
    action: 'network',
    verdict: 'would-deny',
    destination: 'a.example',
    port: 443,
    program: '/a/very-long-name-of-a-program',
    pid: 1,
    source: 'default',
  }),
  record({
    action: 'connection_closed',
    destination: 'a.example',
    port: 443,
    bytesUp: 812,
    bytesDown: 1_234_567,
    durationMs: 12,
    program: '/usr/bin/curl',
    pid: 1,
  }),
  record({ action: 'note', text: 'x'.repeat(300) }),
  record({ verdict: 'allow', target: '/文档/テスト\x1b[31m\n😀'.repeat(20), program: '/usr/bin/cat', pid: 1 }),
];
const columns = () => new ReceiptColumns({ utc: true, now: new Date('2026-11-21T12:00:00Z') }).measure(RECORDS);

describe('entries on a terminal', () => {
  it.each([80, 100, 160, 250])(
    'take one line each of %i columns, in columns that stand beneath each other',
    (width) => {
      const lines = RECORDS.map((one) => columns().line(one, width));
      for (const line of lines) {
        expect(widthOf(line)).toBeLessThan(width);
        expect(line).not.toMatch(/[\x00-\x1f]/);
      }
      expect(new Set(lines.map((line) => line.indexOf('06:00:00'))).size).toBe(1);
      expect(new Set(lines.slice(0, 3).map((line) => line.search(/(node|bash|very-long-[^[ ]*)(\[|…)/))).size).toBe(1);
    },
  );

  it('keep the end of a path, the beginning of a command, and what became of either', () => {
    const [path, command] = RECORDS.map((one) => columns().line(one, 80));
    expect(path).toMatch(/\.env ×17 node\[41234\]$/);
    expect(command).toMatch(/git push.*… ENOEXEC/);
  });

  it('say who refused it where there is room for that', () => {
    expect(columns().line(RECORDS[0]!, 250)).toContain('preset:default.yaml:58, secrets stay here');
  });
});

it.each([
  ['2026-11-21T06:00:00.123Z', '06:00:00'],
  ['2026-11-20T06:00:00.123Z', '11-20 06:00:00'],
  ['2025-11-20T06:00:00.123Z', '2025-11-20 06:00'],
  ['\x1b[2J', '\\x1b[2J'],
])('the time %s is shown as %s', (time, shown) => {
  expect(clockTime(time, { utc: true, now: new Date('2026-11-21T12:00:00Z') })).toBe(shown);
});
