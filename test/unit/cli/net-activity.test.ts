import { describe, expect, it } from 'vitest';
import { bytesText, durationText } from '../../../src/cli/render/amounts.ts';
import { LiveScreen } from '../../../src/cli/render/live-screen.ts';
import { activityLines } from '../../../src/cli/render/net-activity.ts';
import type { Activity } from '../../../src/core/analysis/net-activity.ts';

const row = (fields: Partial<Activity> = {}): Activity => ({
  run: 'r1',
  agent: 'claude',
  destination: 'registry.npmjs.org:443',
  program: '/usr/bin/node',
  verdict: 'allow',
  rule: 'preset:node.yaml:12',
  reason: undefined,
  via: 'transparent',
  known: 'dns',
  count: 12,
  bytesUp: 1234,
  bytesDown: 34_567_890,
  open: 2,
  last: '2026-11-21T06:07:08.900Z',
  ...fields,
});
const wide = { lines: 24, columns: 160 };

describe('activityLines', () => {
  it('shows what went where, and sums up', () => {
    const denied = row({
      verdict: 'deny',
      destination: 'evil.example:443',
      rule: undefined,
      reason: 'no-rule',
      known: 'sni',
    });
    expect(activityLines([row(), { ...denied, count: 1, bytesUp: 0, bytesDown: 0, open: 0 }], wide)).toEqual([
      'VERDICT  DESTINATION             PROGRAM  COUNT    UP  DOWN  OPEN  LAST      KNOWN  WHY',
      'allow    registry.npmjs.org:443  node        12  1.2k   35M     2  06:07:08  dns    preset:node.yaml:12',
      'deny     evil.example:443        node         1     -     -     -  06:07:08  sni    no-rule',
      '2 in all, 1 refused, 2 open',
    ]);
  });

  it('shows the name that TLS told beside the address', () => {
    expect(activityLines([row({ destination: '192.0.2.1:443', called: 'a.example' })], wide)[1]).toContain(
      ' 192.0.2.1:443 (a.example) ',
    );
  });

  it('names the runs when there are several', () => {
    expect(activityLines([row(), row({ run: 'r2', agent: 'codex' })], wide)[0]).toContain('RUN');
    expect(activityLines([row()], wide)[0]).not.toContain('RUN');
  });

  it.each([20, 30, 40, 60, 80, 100, 120])('fits into %i columns', (columns) => {
    const long = row({
      destination: `${'a'.repeat(200)}.example:443`,
      program: '/x/日本語日本語日本語',
      rule: 'r'.repeat(90),
    });
    for (const line of activityLines([long, row()], { lines: 24, columns })) {
      const width = [...line].reduce((sum, character) => sum + (character > '\u1100' && character !== '…' ? 2 : 1), 0);
      expect(width).toBeLessThanOrEqual(columns);
    }
  });

  it('fits into few lines, and says what is not shown', () => {
    const lines = activityLines(
      Array.from({ length: 50 }, (_, port) => row({ destination: `a:${port}` })),
      { lines: 5, columns: 160 },
    );
    expect(lines).toHaveLength(5);
    expect(lines.at(-1)).toContain('47 more not shown');
  });

  it('shows escape sequences of agents as text', () => {
    const evil = '\u001b[2J\u202e\n';
    const fields = ['destination', 'program', 'agent', 'verdict', 'rule', 'reason', 'known', 'last'] as const;
    for (const field of fields) {
      const lines = activityLines([row({ [field]: evil }), row({ run: 'r2' })], wide).join('');
      expect(lines).not.toMatch(/[\u0000-\u001f\u202e]/);
    }
  });

  it('says that nothing was tried', () => {
    expect(activityLines([], wide).at(-1)).toBe('nothing was tried yet');
  });
});

describe('LiveScreen', () => {
  it('draws in place with one write, and on an empty screen when the size changed', () => {
    const written: string[] = [];
    const out = { columns: 80, rows: 24, write: (text: string) => written.push(text) > 0 };
    const screen = new LiveScreen(out as never);
    screen.draw(['one', 'two']);
    screen.draw(['three', 'four', 'five']);
    out.columns = 60;
    screen.draw(['six']);
    expect(written).toHaveLength(3);
    expect(written[0]).not.toMatch(/\u001b\[\d+A|\u001b\[2J/);
    expect(written[1]).toContain('\r\u001b[2Athree\u001b[K\n');
    expect(written[2]).toContain('\u001b[H\u001b[2Jsix');
  });
});

it.each([
  [0, '0'],
  [999, '999'],
  [1000, '1.0k'],
  [9949, '9.9k'],
  [9950, '10k'],
  [999_499, '999k'],
  [999_500, '1.0M'],
  [1.5e12, '1.5T'],
  [2e15, '2000T'],
])('%i bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

it.each([
  [0, '0ms'],
  [999, '999ms'],
  [3400, '3.4s'],
  [59_999, '1m00s'],
  [306_000, '5m06s'],
  [7_380_000, '2h03m'],
])('%i milliseconds are %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});
