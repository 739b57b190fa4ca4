import { describe, expect, test } from 'vitest';
import { Counter } from '../../../../src/cli/report/counter.ts';
import { Tally } from '../../../../src/cli/report/tally.ts';
import { Timeline } from '../../../../src/cli/report/timeline.ts';
import type { AuditRecord } from '../../../../src/core/audit/record.ts';

const at = (ms: number) => new Date(Date.UTC(2026, 10, 21, 6) + ms).toISOString();
let seq = 0;
const entry = (fields: Partial<AuditRecord>): AuditRecord => ({
  ...{ action: 'file_read', time: at(seq * 10), run: 'r1', agent: 'demo' },
  ...{ seq: ++seq, hash: '', prev: '', v: 1 },
  ...fields,
});

describe('what entries add up to', () => {
  test('refusals of one thing are one line, with all that were gathered in an entry', () => {
    const tally = new Tally();
    const refused = { verdict: 'deny', target: '/p/.env', rule: 'user:p.yaml:7', reason: 'secrets' } as const;
    tally.add(entry({ ...refused, seq: 10 }));
    tally.add(entry({ ...refused, seq: 11, count: 41, until: at(900) }));
    tally.add(entry({ ...refused, seq: 12, target: '/p/.env.local' }));
    tally.add(entry({ verdict: 'allow', target: '/p/a', rule: 'user:p.yaml:2' }));
    expect(tally.verdicts).toEqual({ allow: 1, deny: 43, 'would-deny': 0 });
    expect(tally.refusals.largest(({ count }) => count)).toMatchObject([
      { subject: '/p/.env', count: 42, seq: 10, by: 'user:p.yaml:7', until: at(900) },
      { subject: '/p/.env.local', count: 1, seq: 12 },
    ]);
    expect(tally.voices.largest(({ verdicts }) => verdicts.deny)).toMatchObject([
      { label: 'user:p.yaml:7', verdicts: { deny: 43 } },
      { label: 'user:p.yaml:2', verdicts: { allow: 1, deny: 0 } },
    ]);
  });

  test('a connection and its end are one destination', () => {
    const tally = new Tally();
    const to = { destination: 'api.test', port: 443 } as const;
    tally.add(entry({ action: 'network', verdict: 'allow', ...to, method: 'GET', path: '/a' }));
    tally.add(entry({ action: 'network', verdict: 'deny', ...to, method: 'GET', path: '/b' }));
    tally.add(entry({ action: 'connection_closed', ...to, bytesUp: 10, bytesDown: 2000 }));
    tally.add(entry({ action: 'connection_closed', ...to, result: 'ECONNRESET' }));
    expect(tally.destinations.largest(({ up }) => up)).toEqual([
      { place: 'api.test:443', allowed: 1, refused: 1, failed: 1, up: 10, down: 2000 },
    ]);
  });

  test('what was allowed and failed by itself is no effect, and counted', () => {
    const tally = new Tally();
    tally.add(entry({ action: 'file_write', verdict: 'allow', target: '/p/a', result: 'ENOENT' }));
    tally.add(entry({ action: 'file_write', verdict: 'allow', target: '/p/a', result: 'ok' }));
    tally.add(entry({ action: 'result', of: 3, result: 'EMFILE' }));
    expect(tally.failed).toBe(2);
    expect(tally.files.largest(({ count }) => count)).toMatchObject([
      { path: '/p/a', result: 'ENOENT', count: 1 },
      { path: '/p/a', result: 'ok', count: 1 },
    ]);
  });

  test('a run that makes up names does not choose how much memory they take', () => {
    const counter = new Counter<{ count: number }>(3);
    for (let name = 0; name < 10; name++) {
      const found = counter.at(String(name % 5), () => ({ count: 0 }), 2);
      if (found) found.count += 2;
    }
    expect([counter.size, counter.others]).toEqual([3, 8]);
    expect(counter.largest(({ count }) => count, 2)).toEqual([{ count: 4 }, { count: 4 }]);
  });
});

describe('slots of time', () => {
  test('grow as the time does, and lose nothing', () => {
    const timeline = new Timeline(10);
    for (let ms = 0; ms < 100_000; ms += 500) timeline.add(ms, ms % 1000 === 0 ? 'allowed' : 'refused');
    const { width, slots } = timeline.state;
    expect(slots.length).toBeLessThanOrEqual(10);
    expect(width * slots.length).toBeGreaterThanOrEqual(100_000);
    expect(slots.reduce((sum, { allowed }) => sum + allowed, 0)).toBe(100);
    expect(slots.reduce((sum, { refused }) => sum + refused, 0)).toBe(100);
  });

  test('take a clock that was set back, and times that are none', () => {
    const timeline = new Timeline();
    timeline.add(5000, 'allowed');
    timeline.add(1000, 'allowed');
    timeline.add(Number.NaN, 'allowed');
    expect(timeline.state.slots).toEqual([{ allowed: 2, refused: 0 }]);
  });
});
