import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inside, outside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';
import { type Fixture, openFixture } from './fixture.ts';

/**
 * execve cannot be carried out for another process: the kernel reads path and arguments once more after the verdict. What then runs is compared with
 * what was approved at its first trapped call, before it can print a word.
 */
describe('a process that flips a spawn between what is allowed and what is denied', () => {
  const sandbox = useSandbox();
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await openFixture(sandbox);
  });
  afterAll(() => fixture?.close());

  const policy = `version: 1
name: no-id
extends: [default]
policies:
  - action: shell_exec
    rules:
      - { command: ["id", "id *", "echo --denied"], effect: deny, reason: "nobody asks" }
`;
  /** Who flips what; what the denied one says when it runs. */
  const ways: readonly [string, readonly string[], readonly string[], RegExp][] = [
    ['the path in a page of both', ['/usr/bin/true', '/usr/bin/id'], ['process', '-'], /uid=/],
    ['the path in memory that is also its own', ['/usr/bin/true', '/usr/bin/id'], ['peer', '-'], /uid=/],
    ['an argument in a page of both', ['--allowed', '--denied'], ['process', '/usr/bin/echo'], /^--denied$/m],
    ['an argument in memory that is also its own', ['--allowed', '--denied'], ['peer', '/usr/bin/echo'], /^--denied$/m],
  ];
  describe.each(ways)('%s', (_name, texts, who, said) => {
    const race = (rounds: number): string[] => [fixture.probe, 'exec-race', ...texts, String(rounds), ...who];

    it('gets the denied one to run outside', async () => {
      expect((await outside(sandbox, race(1000))).stdout).toMatch(said);
    });

    it('never gets it to say a word inside, and the run ends when the race was won', async () => {
      let won = 0;
      for (let attempt = 0; attempt < ATTEMPTS || won === 0; attempt++) {
        // A race that is never won would show nothing.
        expect(attempt).toBeLessThan(10 * ATTEMPTS);
        const result = await inside(sandbox, race(ROUNDS), { policy });
        expect(result.stdout).not.toMatch(said);
        if (result.receipts.some(({ reason }) => reason === 'exec-mismatch')) {
          won++;
          expect(result.status).toBe(125);
        }
        expect(result.receipts.some(({ action, verdict }) => action === 'shell_exec' && verdict === 'deny')).toBe(true);
      }
    });
  });
});

/** A run ends with the first race that was won, so there are several; each has the length that makes that likely. */
const ATTEMPTS = 4;
const ROUNDS = 4000;
