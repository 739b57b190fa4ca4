import { describe, expect, it } from 'vitest';
import { findRun } from '../../../src/cli/known-runs.ts';
import type { RunSummary } from '../../../src/core/contract/control-api.ts';

const run = (id: string, name: string, state: RunSummary['state'] = 'running') => ({ id, name, state }) as RunSummary;
const runs = [
  run('aa11', 'web'),
  run('aa22', 'web', 'ended'),
  run('bb11', 'aa11'),
  run('cc11', 'db', 'ended'),
  run('cc22', 'db', 'ended'),
];

describe('findRun', () => {
  it.each([
    ['an identifier goes before a name', 'aa11', 'aa11'],
    ['of two runs of a name the one that goes on', 'web', 'aa11'],
    ['of two ended runs of a name the later', 'db', 'cc22'],
    ['the beginning of one identifier', 'bb', 'bb11'],
  ])('finds by %s', (_name, wanted, id) => {
    expect(findRun(runs, wanted).id).toBe(id);
  });

  it.each([
    ['a beginning that several have', 'aa', '2 runs begin with aa'],
    ['an unknown name', 'zz', 'there is no run zz'],
    ['nothing', '', 'there is no run '],
  ])('refuses %s', (_name, wanted, what) => {
    expect(() => findRun(runs, wanted)).toThrow(expect.objectContaining({ code: 'GK_RUN_NOT_FOUND', what }));
  });
});
