import { describe, expect, it } from 'vitest';
import { receiptLine, receiptText } from '../../../src/cli/render/receipt.ts';
import type { AuditRecord } from '../../../src/core/audit/record.ts';

const record = (fields: Partial<AuditRecord>): AuditRecord => ({
  action: 'file_read',
  time: '2026-11-21T06:00:00.123Z',
  seq: 17,
  hash: 'h',
  prev: 'p',
  v: 1,
  ...fields,
});

describe('receiptLine', () => {
  it.each([
    [
      'a denied read names target, program and rule',
      {
        verdict: 'deny',
        target: '/p/.env',
        program: '/usr/bin/cat',
        pid: 4,
        rule: 'user:a.yaml:7',
        reason: 'secrets',
        source: 'rule',
      },
      '    17  2026-11-21 06:00:00Z  deny        file_read    /p/.env  cat[4]  user:a.yaml:7, secrets',
    ],
    [
      'a refusal that was repeated says how often',
      { verdict: 'deny', target: '/p/x', program: '/usr/bin/cat', pid: 4, source: 'default', count: 40, until: '2026' },
      '    17  2026-11-21 06:00:00Z  deny        file_read    /p/x  cat[4]  40 times  default',
    ],
    [
      'a spawn shows the command',
      { action: 'shell_exec', verdict: 'allow', command: 'git status', target: '/usr/bin/git', source: 'launcher' },
      '    17  2026-11-21 06:00:00Z  allow       shell_exec   git status  launcher',
    ],
    [
      'a connection shows where it goes',
      { action: 'network', verdict: 'deny', destination: 'example.com:443', source: 'default', reason: 'no-rule' },
      '    17  2026-11-21 06:00:00Z  deny        network      example.com:443  default, no-rule',
    ],
    [
      'a connection shows the door that it came through, and how its name was known',
      {
        action: 'network',
        verdict: 'allow',
        destination: 'a.example',
        address: '192.0.2.1',
        port: 443,
        via: 'transparent',
        known: 'dns',
        source: 'rule',
        rule: 'user:a.yaml:7',
      },
      '    17  2026-11-21 06:00:00Z  allow       network      a.example:443  via transparent, name by dns  user:a.yaml:7',
    ],
    [
      'a request shows its method and path',
      {
        action: 'network',
        verdict: 'deny',
        destination: 'a.example',
        port: 80,
        via: 'http',
        known: 'http',
        method: 'GET',
        path: '/v1',
      },
      '    17  2026-11-21 06:00:00Z  deny        network      GET a.example:80/v1  via http',
    ],
    [
      'a question for a name shows no port',
      { action: 'network', verdict: 'deny', destination: 'a.example', port: 53, via: 'dns', known: 'dns' },
      '    17  2026-11-21 06:00:00Z  deny        network      a.example  via dns',
    ],
    [
      'the end of a connection shows what it carried',
      {
        action: 'connection_closed',
        destination: '2001:db8::1',
        port: 443,
        via: 'socks',
        known: 'literal',
        bytesUp: 812,
        bytesDown: 1_234_567,
        durationMs: 61_000,
      },
      '    17  2026-11-21 06:00:00Z  ·           connection_closed  [2001:db8::1]:443  812 up, 1.2M down in 1m01s  via socks, by address',
    ],
    [
      'a rename shows both names',
      { verdict: 'deny', target: '/a', target2: '/b' },
      '    17  2026-11-21 06:00:00Z  deny        file_read    /a → /b',
    ],
    [
      'an event shows what it says',
      { action: 'run_end', status: 0, count: 3 },
      '    17  2026-11-21 06:00:00Z  ·           run_end      status 0 3 calls',
    ],
  ] as const)('%s', (_name, fields, line) => {
    expect(receiptLine(record(fields))).toBe(line);
  });

  it.each([
    'target',
    'command',
    'reason',
    'program',
    'rule',
    'text',
    'destination',
    'via',
    'known',
    'path',
    'method',
  ] as const)('shows an escape sequence in %s as text', (field) => {
    for (const action of ['file_read', 'shell_exec', 'network', 'note', 'connection_closed'] as const) {
      const line = receiptLine(record({ action, [field]: 'x\x1b[2K\u202ey' }));
      expect(line).not.toMatch(/[\x00-\x1f\u202e]/);
    }
  });
});

describe('receiptText', () => {
  it('shows every field on a line of its own, escaped', () => {
    const text = receiptText(record({ target: '/a\nverdict  allow' }));
    expect(text.split('\n')).toHaveLength(7);
    expect(text).toContain('target  /a\\x0averdict  allow');
  });
});
