import { expect, it } from 'vitest';
import { FairTurns } from '../../../../src/adapters/proxy/fair-turns.ts';
import { RunLoad, socketsWithin } from '../../../../src/adapters/proxy/limits.ts';

it('a run gets a place back only once, however often it is returned', () => {
  const load = new RunLoad(1);
  const giveBack = load.take('r');
  expect(load.take('r')).toBeUndefined();
  expect(load.take('other')).toBeDefined();
  giveBack?.();
  giveBack?.();
  expect(load.take('r')).toBeDefined();
  expect(load.take('r')).toBeUndefined();
});

it('an owner never holds every place, and owners take turns', async () => {
  const turns = new FairTurns(2);
  const order: string[] = [];
  const enter = (owner: string) => turns.enter(owner).then(() => order.push(owner));
  for (const owner of ['a', 'a', 'a', 'b', 'b']) enter(owner);
  await Promise.resolve();
  await Promise.resolve();
  expect(order).toEqual(['a', 'b']);
  for (const owner of ['a', 'b', 'a']) {
    turns.leave(owner);
    await new Promise((tick) => setImmediate(tick));
  }
  expect(order).toEqual(['a', 'b', 'a', 'b', 'a']);
});

it('a run leaves a quarter of what all share to others, and the next one a quarter of that', () => {
  const load = new RunLoad(1000, 64);
  const taken = (run: string) => {
    let count = 0;
    while (load.take(run)) count++;
    return count;
  };
  expect(taken('first')).toBe(48);
  expect(taken('second')).toBe(12);
  expect(taken('third')).toBe(3);
  expect(taken('fourth')).toBe(1);
  expect(taken('fifth')).toBe(0);
});

it('what is given back can be taken by another run', () => {
  const load = new RunLoad(1000, 2);
  const [one, other] = [load.take('first'), load.take('second')];
  expect(load.take('third')).toBeUndefined();
  one?.();
  other?.();
  expect(load.take('third')).toBeDefined();
});

it('sockets are bounded by descriptors, of which every tunnel takes two', () => {
  for (const descriptors of [300, 1024, 20_000, 524_288]) {
    expect(2 * socketsWithin(descriptors)).toBeLessThan(descriptors - 200);
  }
  expect((3 / 4) * socketsWithin(20_000)).toBeGreaterThan(5000);
  expect(socketsWithin(64)).toBe(1);
});
