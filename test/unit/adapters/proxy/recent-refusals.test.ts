import { describe, expect, it } from 'vitest';
import { RecentRefusals } from '../../../../src/adapters/proxy/recent-refusals.ts';

describe('a refusal that is on record', () => {
  let time = 0;
  const recent = new RecentRefusals(5000, () => time);
  const image = {};

  it('is known for the same process, name and policy', () => {
    recent.add('run 1', 'bad.test', image);
    expect(recent.has('run 1', 'bad.test', image)).toBe(true);
    expect(recent.has('run 2', 'bad.test', image)).toBe(false);
    expect(recent.has('run 1', 'worse.test', image)).toBe(false);
    expect(recent.has('run 1', 'bad.test', {})).toBe(false);
  });

  it('is another one later', () => {
    time += 5000;
    expect(recent.has('run 1', 'bad.test', image)).toBe(false);
  });

  it('is forgotten for many others, and not for itself', () => {
    recent.add('run 1', 'first.test', image);
    recent.add('run 1', 'second.test', image);
    recent.add('run 1', 'first.test', image);
    for (let i = 0; i < 1023; i++) recent.add('run 1', `${i}.test`, image);
    expect(recent.has('run 1', 'second.test', image)).toBe(false);
    expect(recent.has('run 1', 'first.test', image)).toBe(true);
  });
});
