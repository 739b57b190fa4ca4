import { describe, expect, it } from 'vitest';
import { NetActivity, type NetReceipt } from '../../../../src/core/analysis/net-activity.ts';

const receipt = (fields: Partial<NetReceipt>): NetReceipt => ({
  action: 'network',
  time: '2026-11-21T06:00:00.000Z',
  run: 'r1',
  agent: 'claude',
  program: '/usr/bin/curl',
  destination: 'a.example',
  address: '192.0.2.1',
  port: 443,
  via: 'connect',
  known: 'connect',
  verdict: 'allow',
  source: 'rule',
  ...fields,
});
const closed = (fields: Partial<NetReceipt> = {}): NetReceipt => {
  const { verdict: _, source: __, ...rest } = receipt({ bytesUp: 10, bytesDown: 200, ...fields });
  return { ...rest, action: 'connection_closed' };
};
const rowsOf = (...receipts: NetReceipt[]) => {
  const activity = new NetActivity();
  for (const one of receipts) activity.take(one);
  return activity.rows();
};

describe('a row of activity', () => {
  it('counts what one program had to do with one destination, and is open until the end is told', () => {
    expect(rowsOf(receipt({}), receipt({}), closed({ time: '2026-11-21T06:00:09.000Z' }))).toEqual([
      expect.objectContaining({ count: 2, open: 1, bytesUp: 10, bytesDown: 200, last: '2026-11-21T06:00:09.000Z' }),
    ]);
  });

  it('says what became of the last attempt, and counts those that one receipt stands for', () => {
    const denied = receipt({ verdict: 'deny', reason: 'no-rule', count: 40, until: '2026-11-21T06:00:05.000Z' });
    expect(rowsOf(denied)).toMatchObject([{ verdict: 'deny', count: 40, open: 0, last: '2026-11-21T06:00:05.000Z' }]);
    expect(rowsOf(denied, receipt({}))).toMatchObject([{ verdict: 'allow', reason: undefined, count: 41, open: 1 }]);
  });

  it('is another for another run, program or port, the latest first', () => {
    const rows = rowsOf(
      receipt({}),
      receipt({ run: 'r2' }),
      receipt({ program: '/x' }),
      receipt({ port: 80 }),
      receipt({}),
    );
    expect(rows.map(({ run, program, destination }) => [run, program, destination])).toEqual([
      ['r1', '/usr/bin/curl', 'a.example:443'],
      ['r1', '/usr/bin/curl', 'a.example:80'],
      ['r1', '/x', 'a.example:443'],
      ['r2', '/usr/bin/curl', 'a.example:443'],
    ]);
  });

  it('is the name alone when only the name was asked for', () => {
    const { port: _, address: __, ...question } = receipt({ via: 'dns', known: 'dns', verdict: 'deny' });
    expect(rowsOf(question)).toMatchObject([{ destination: 'a.example', open: 0 }]);
  });

  it('is not open when nothing could be dialled', () => {
    const { address: _, ...nowhere } = receipt({ reason: 'unresolved' });
    expect(rowsOf(nowhere)).toMatchObject([{ open: 0 }]);
    const { address: __, ...literal } = receipt({ destination: '2001:db8::1', known: 'literal' });
    expect(rowsOf(literal)).toMatchObject([{ open: 1, destination: '[2001:db8::1]:443' }]);
  });

  it('of a bare address ends under the name that TLS told', () => {
    const { address: _, ...begun } = receipt({ destination: '192.0.2.1', known: 'literal', via: 'transparent' });
    expect(rowsOf(begun, closed({ destination: 'a.example', known: 'sni', via: 'transparent' }))).toMatchObject([
      { destination: '192.0.2.1:443', called: 'a.example', open: 0, bytesDown: 200 },
    ]);
  });

  it('is not open any more when its run or the daemon is gone', () => {
    expect(rowsOf(receipt({}), receipt({ action: 'run_end', run: 'r2' }))).toMatchObject([{ open: 1 }]);
    expect(rowsOf(receipt({}), receipt({ action: 'run_end' }))).toMatchObject([{ open: 0 }]);
    expect(rowsOf(receipt({}), { action: 'daemon_start', time: '' })).toMatchObject([{ open: 0 }]);
  });

  it('is none for the way to the proxy, for listening, and for what a door has a receipt of', () => {
    const { via: _, ...direct } = receipt({ syscall: 'connect', destination: '127.0.0.1', port: 8000 });
    expect(rowsOf({ ...direct, source: 'own' })).toEqual([]);
    expect(rowsOf({ ...direct, syscall: 'bind' })).toEqual([]);
    expect(rowsOf({ ...direct, destination: '93.184.216.34' })).toEqual([]);
    expect(rowsOf(direct)).toMatchObject([{ destination: '127.0.0.1:8000', open: 0 }]);
    expect(rowsOf({ ...direct, destination: '93.184.216.34', verdict: 'deny' })).toHaveLength(1);
  });

  it('goes when there are too many', () => {
    const activity = new NetActivity(2);
    for (const destination of ['a.example', 'b.example', 'c.example']) activity.take(receipt({ destination }));
    expect(activity.rows().map(({ destination }) => destination)).toEqual(['c.example:443', 'b.example:443']);
    activity.forget('r1');
    expect(activity.rows()).toEqual([]);
  });
});
