import { describe, expect, test } from 'vitest';
import { html } from '../../../../src/cli/report/html.ts';
import { reportPage } from '../../../../src/cli/report/page.ts';
import { RunReporter } from '../../../../src/cli/report/run-report.ts';
import type { AuditRecord } from '../../../../src/core/audit/record.ts';

let seq = 0;
const entry = (fields: Partial<AuditRecord>): AuditRecord => ({
  ...{ action: 'file_read', time: '2026-11-21T06:00:00.123Z', run: 'r1', agent: 'demo' },
  ...{ seq: ++seq, hash: 'ab'.repeat(32), prev: '', v: 1 },
  ...fields,
});

function pageOf(records: readonly Partial<AuditRecord>[]): string {
  const reporter = new RunReporter('r1');
  for (const record of records) reporter.add(entry(record));
  return reportPage(reporter.end(), undefined, '2026-11-21T07:00:00.000Z');
}

const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(1)>' onload='\u202e\u0000\`{{`;

describe('the page about a run', () => {
  test('tells what was refused, where bytes went and how the run ended', () => {
    const page = pageOf([
      { action: 'run_create', command: 'npm test', cwd: '/p', enforce: 'kernel', policy: `sha256:${'1'.repeat(64)}` },
      { verdict: 'deny', target: '/p/.env', rule: 'user:p.yaml:7', reason: 'secrets stay here' },
      { action: 'network', verdict: 'allow', destination: 'api.test', port: 443 },
      { action: 'connection_closed', destination: 'api.test', port: 443, bytesUp: 1500, bytesDown: 3_000_000 },
      { action: 'shell_exec', verdict: 'allow', target: '/usr/bin/node', command: 'node x' },
      { action: 'run_end', status: 3, count: 12345 },
    ]);
    for (const text of ['npm test', '/p/.env', 'secrets stay here', 'user:p.yaml:7', 'api.test:443', '3.0M down'])
      expect(page).toContain(text);
    for (const text of ['12,345', 'ended with status 3', '/usr/bin/node', 'audit show']) expect(page).toContain(text);
  });

  test('holds nothing that acts, whatever a run puts into names', () => {
    const members = [
      'target',
      'target2',
      'command',
      'destination',
      'program',
      'reason',
      'rule',
      'text',
      'kind',
      'agent',
    ];
    const hostile = Object.fromEntries([...members, 'cwd', 'result', 'policy'].map((name) => [name, HOSTILE]));
    const actions = ['run_create', 'run_start', 'file_read', 'file_write', 'shell_exec', 'network'] as const;
    const page = pageOf([
      ...actions.map((action) => ({ ...hostile, action, verdict: 'deny' as const })),
      ...actions.map((action) => ({ ...hostile, action, verdict: 'allow' as const })),
      { ...hostile, action: 'note' },
      { ...hostile, action: 'connection_closed', bytesUp: 5 },
    ]);
    expect(page).toContain('&#60;script&#62;');
    expect(page.match(/<(?:script|img|iframe|object|embed|link|base|form|a)\b/gi)).toBeNull();
    const tags = page.match(/<[a-z][^>]*>/gi)!;
    expect(tags.filter((tag) => /\son[a-z]+\s*=/i.test(tag.replace(/"[^"]*"/g, '""')))).toEqual([]);
    expect(page.match(/[\u202e\u0000]/g)).toBeNull();
    expect(page).toContain("default-src 'none'");
  });

  test('is bounded, and says what it leaves out', () => {
    const many = Array.from({ length: 20_000 }, (_, at) => ({ verdict: 'deny' as const, target: `/p/${at}` }));
    const page = pageOf(many);
    expect(page.length).toBeLessThan(1_500_000);
    expect(page).toContain('18000 more were too many to tell apart');
    expect(page).toContain('18500 more are in the log');
  });
});

test('markup is made of parts that are safe by themselves', () => {
  expect(html`<b title="${'a"b'}">${['<', html`<i>x</i>`, 1, undefined]}</b>`.html).toBe(
    '<b title="a&#34;b">&#60;<i>x</i>1</b>',
  );
});
