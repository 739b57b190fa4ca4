import { describe, expect, it, vi } from 'vitest';
import type { Holder } from '../../../../src/adapters/anchors/holder.ts';
import { Lane } from '../../../../src/adapters/anchors/lane.ts';

const limits = { putMs: 2000, retryMs: 1, mostRetryMs: 4, tellMs: 0 };

/** Takes notes when it is let. */
function gatedHolder() {
  const taken: string[] = [];
  const waiting: { done: () => void; fail: (error: Error) => void }[] = [];
  const holder: Holder = {
    name: 'gated',
    put: (note) =>
      new Promise<void>((done, fail) => {
        taken.push(note);
        waiting.push({ done, fail });
      }),
    read: async () => [],
  };
  const next = async () => {
    await eventually(() => expect(waiting.length).toBeGreaterThan(0));
    return waiting.shift()!;
  };
  return { holder, taken, next };
}

describe('what goes to a holder', () => {
  it('is never waited for, and of what came meanwhile is the newest alone', async () => {
    const { holder, taken, next } = gatedHolder();
    const lane = new Lane({ holder, tell: () => {}, limits });
    lane.put('1');
    expect(taken).toEqual([]); // nothing of it happened yet
    const first = await next();
    for (const note of ['2', '3', '4']) lane.put(note);
    first.done();
    (await next()).done();
    await eventually(() => expect(taken).toEqual(['1', '4']));
  });

  it('is tried again, with the newest, until the holder takes it; each change is told once', async () => {
    const { holder, taken, next } = gatedHolder();
    const told: unknown[] = [];
    const lane = new Lane({ holder, tell: (...what) => told.push(what), limits });
    lane.put('1');
    (await next()).fail(new Error('the line\nis cut'));
    (await next()).fail(new Error('another reason'));
    await eventually(() => expect(lane.failure).toBe('another reason'));
    lane.put('2');
    (await next()).fail(new Error('cut'));
    (await next()).done();
    await eventually(() => expect(told.length).toBe(2));
    expect(told).toEqual([
      ['gated', 'the line is cut'],
      ['gated', undefined],
    ]);
    expect(taken.at(-1)).toBe('2');
    expect(lane.failure).toBeUndefined();
  });

  it('is a failure when no answer comes in time', async () => {
    const { holder } = gatedHolder();
    const lane = new Lane({ holder, tell: () => {}, limits: { ...limits, putMs: 5, retryMs: 60_000 } });
    lane.put('1');
    await eventually(() => expect(lane.failure).toMatch(/^no answer in/));
  });

  it('does not fill the log with a holder that fails now and then', async () => {
    const told: unknown[] = [];
    let works = false;
    const holder: Holder = {
      name: 'flapping',
      put: async () => {
        works = !works;
        if (works) throw new Error('now and then');
      },
      read: async () => [],
    };
    const lane = new Lane({ holder, tell: (...what) => told.push(what), limits: { ...limits, tellMs: 60_000 } });
    for (let turn = 0; turn < 20; turn++) {
      lane.put(String(turn));
      await eventually(() => expect(lane.failure).toBeUndefined());
      await new Promise(setImmediate);
    }
    expect(told.length).toBe(1);
  });

  it('is tried once more when the lane is closed, and nothing comes after it', async () => {
    const { holder, taken, next } = gatedHolder();
    const lane = new Lane({ holder, tell: () => {}, limits: { ...limits, retryMs: 60_000 } });
    lane.put('1');
    (await next()).fail(new Error('cut'));
    await eventually(() => expect(lane.failure).toBe('cut'));
    const closed = lane.close();
    (await next()).done();
    await closed;
    lane.put('2');
    await new Promise(setImmediate);
    expect(taken).toEqual(['1', '1']);
  });
});

/** However busy the machine is. */
function eventually<Value>(what: () => Value): Promise<Awaited<Value>> {
  return vi.waitFor(what, { timeout: 20_000, interval: 5 }) as Promise<Awaited<Value>>;
}
