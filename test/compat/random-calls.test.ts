import { describe, expect, it } from 'vitest';
import { ordinaryAccount } from '../support/account.ts';
import { compareCalls, type Sequences } from '../support/random-calls.ts';
import { useSandbox } from '../support/sandbox.ts';

const STEPS = 300;

/** Sequences that once told bare and inside apart, and at what. */
const FOUND: readonly (Pick<Sequences, 'first' | 'threads'> & { what: string })[] = [
  { first: 1, what: 'the second name of a rename is complained of before the first' },
  { first: 10, what: 'openat2 that would create through a link which ends in a slash' },
  { first: 12, what: 'a device node in a directory that may not be written' },
  { first: 17, what: 'an attribute of a descriptor opened with O_PATH' },
  { first: 38, what: 'a link made among the descriptors of a process' },
  { first: 39, what: 'a link whose first name leads nowhere and whose second cannot be read' },
  { first: 45, what: 'a loop of links with long texts' },
  { first: 69, what: 'the order of a name too long and a directory that is none' },
  { first: 99, what: 'a file created through a link that ends in a slash and leads in a circle' },
  { first: 125, what: 'a name too long in a directory that was removed' },
  { first: 182, what: 'a second name for a directory where nothing may be made' },
  { first: 206, what: 'creat through a link that ends in a slash' },
  { first: 216, what: 'a file to be created under a name too long with a slash' },
  { first: 300, what: 'a loop of links through /proc/self/cwd' },
  { first: 5002988, what: 'a rename to a name with a slash in a directory that was removed' },
  { first: 5003295, what: 'an attribute too large for a path that cannot be read' },
  { first: 29433327489, what: 'a name that is not there behind a link to /proc/self' },
  { first: 29433327428, what: 'a loop of links that the supervisor would leave' },
  { first: 102, threads: true, what: 'rmdir of a file with a slash where nothing may be removed' },
];

/**
 * In one line of every vitest run: with it the sequences can be made again. Fresh ones each time on a developer's machine, where a finding is
 * welcome; the same ones where CI is set, which must give the same answer to the same tree. Long runs: random-calls-long.ts.
 */
const RANDOM_FIRST = process.env['CI'] ? 20_000_000 : Math.floor(Math.random() * 2 ** 40);
const RANDOM_COUNT = 40;

describe.each([
  { who: 'the account of the tests', user: undefined },
  { who: 'an ordinary account', user: ordinaryAccount() },
])('random calls of $who have the same results and leave the same trees', ({ user }) => {
  const sandbox = useSandbox({ user, beneath: '/var/tmp' });

  it.each(FOUND)('$what', async (found) => {
    expect(await compareCalls(sandbox, { count: 1, steps: STEPS, ...found })).toEqual([]);
  });

  it.each([false, true])(`sequences from ${RANDOM_FIRST} on; by two threads at a time: %s`, async (threads) => {
    const sequences = { first: RANDOM_FIRST, count: RANDOM_COUNT, steps: STEPS, threads };
    expect(await compareCalls(sandbox, sequences)).toEqual([]);
  });
});
