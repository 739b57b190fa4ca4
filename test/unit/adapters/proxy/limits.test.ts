import { expect, it } from 'vitest';
import { FairTurns } from '../../../../src/adapters/proxy/fair-turns.ts';
import { RunLoad } from '../../../../src/adapters/proxy/limits.ts';

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
