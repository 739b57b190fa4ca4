import { describe, expect, it } from 'vitest';
import { launchLines } from '../../../src/cli/render/launch-text.ts';

describe('how a run starts, in words', () => {
  it('is nothing when the policy says nothing', () => {
    expect(launchLines({ env: [], limits: {}, caches: {}, onTighten: 'end' }, ['A'])).toEqual([]);
  });

  it('names dropped variables with the file that drops them, limits with what they bound, and caches', () => {
    const env = [
      { file: 'builtin:guards.yaml', drop: ['*_TOKEN'], pass: [], pierces: [0] },
      { file: 'user:policy.yaml', drop: ['OWN'], pass: ['GH_TOKEN'], pierces: [0, 1] },
    ];
    const limits = { processes: 64, memory: 2 ** 30, cpuTime: 90, openFiles: 256 };
    const names = ['OWN', 'GH_TOKEN', 'A_TOKEN', 'B\u001b_TOKEN', 'PATH'];
    expect(launchLines({ env, limits, caches: { npm: 'private' }, onTighten: 'warn' }, names)).toEqual([
      'not in its environment: OWN (user:policy.yaml)',
      'not in its environment: A_TOKEN B\\x1b_TOKEN (builtin:guards.yaml)',
      'limit of processes: 64 together',
      'limit of memory: 1024MiB for each process',
      'limit of cpuTime: 90s for each process',
      'limit of openFiles: 256 for each process',
      'cache of npm: private',
      'a change that refuses what it reads by itself: warns',
    ]);
  });
});
