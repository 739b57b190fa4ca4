import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inside, outside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';
import { type Fixture, openFixture } from './fixture.ts';

/**
 * execve cannot be carried out for another process: the kernel reads the path once more after the verdict. What then runs is compared with what was
 * approved at its first trapped call, before it can print a word.
 */
describe('a process that flips the path of a spawn between an allowed and a denied program', () => {
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
      - { command: ["id", "id *"], effect: deny, reason: "nobody asks" }
`;
  const race = (rounds: number): string[] => [
    fixture.probe,
    'exec-race',
    '/usr/bin/true',
    '/usr/bin/id',
    String(rounds),
  ];

  it('gets the denied program to run outside', async () => {
    expect((await outside(sandbox, race(3000))).stdout).toContain('uid=');
  });

  it('never gets it to say a word inside, and the run ends when the race was won', async () => {
    let won = 0;
    for (let attempt = 0; attempt < 8; attempt++) {
      const result = await inside(sandbox, race(4000), { policy });
      expect(result.stdout).not.toContain('uid=');
      const mismatch = result.receipts.some(({ reason }) => reason === 'exec-mismatch');
      if (mismatch) {
        won++;
        expect(result.status).toBe(125);
      }
      expect(result.receipts.some(({ action, verdict }) => action === 'shell_exec' && verdict === 'deny')).toBe(true);
    }
    // A race that is never won would show nothing.
    expect(won).toBeGreaterThan(0);
  });
});
