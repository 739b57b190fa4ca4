import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Account, Outcome } from '../support/bare.ts';
import type { Hooks } from '../support/hooks.ts';
import { inside, outside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';
import { errnoNameOf } from './errno.ts';
import { type Fixture, openFixture } from './fixture.ts';
import type { EscapeRow } from './row.ts';

/** Where one account tries rows in one way: a gatekeeper, a project and targets of its own, so that stages do not disturb each other. */
export type Stage = {
  /** Who tries, and how, for the message of a failure. */
  name: string;
  applies(row: EscapeRow): boolean;
  succeedsOutside(row: EscapeRow): Promise<void>;
  failsInside(row: EscapeRow, rounds: number): Promise<void>;
};

export type StageOptions = {
  name: string;
  /** Undefined: whoever runs the tests. */
  user: Account | undefined;
  isRoot: boolean;
  /** What starts the technique in the run. */
  through: readonly string[];
  hooks: Hooks;
};

/** Opened before the first test of the file, closed after the last. */
export function useStage({ name, user, isRoot, through, hooks }: StageOptions): Stage {
  const sandbox = useSandbox({ user });
  let fixture: Fixture;
  beforeAll(async () => {
    // An ordinary user's tests have to pass through the directory that root made.
    if (user) chmodSync(sandbox.root, 0o755);
    fixture = await openFixture(sandbox);
  });
  afterAll(() => fixture?.close());

  function prepare(row: EscapeRow): void {
    fixture.lay();
    if (row.before === undefined) return;
    execFileSync('sh', ['-c', fixture.fill(row.before)], user ? { uid: user.uid, gid: user.gid } : {});
  }

  function command(row: EscapeRow, rounds: number): string[] {
    const argv = 'command' in row ? row.command : ['{probe}', row.technique, ...row.args];
    return argv.map((text) => fixture.fill(text).replaceAll('{rounds}', String(rounds)));
  }

  return {
    name,
    applies: (row) => row.user === undefined || (row.user === 'root') === isRoot,

    /** A technique that fails anyway would prove nothing about gatekeeper. */
    succeedsOutside: async (row) => {
      if (row.outside !== 'works') return;
      prepare(row);
      const result = await outside(sandbox, command(row, ROUNDS));
      expect(`${result.status} ${result.stderr}`, `outside, as ${name}`).toBe('0 ');
      tidy();
    },

    failsInside: async (row, rounds) => {
      prepare(row);
      const argv = [...through, ...command(row, rounds)];
      const result = await inside(sandbox, argv, {
        policy: row.policy ?? 'default',
        options: row.options,
        hooks,
      });
      expect(result.stdout, name).not.toContain('SECRET');
      expect([row.inside].flat(), name).toContain(outcome(result));
      if (row.unharmed) execFileSync('sh', ['-c', fixture.fill(row.unharmed)]);
      if (row.receipt === undefined) return;
      const { target, ...rest } = row.receipt;
      const wanted = { ...rest, verdict: 'deny', ...(target && { target: fixture.fill(target) }) };
      expect(result.receipts, name).toContainEqual(expect.objectContaining(wanted));
    },
  };
}

/** Rounds of a race: what the stages do inside makes as many together, whoever runs the suite. */
export const ROUNDS = 100_000;

/** The errno's name that the probe printed, or the signal that ended it. Between its lines the hook may have explained a refusal. */
function outcome(result: Outcome): string {
  if (result.status === 128 + 31) return 'SIGSYS';
  if (result.status === 0) return 'it worked';
  const lines = result.stderr.trim().split('\n');
  const last = lines.filter((line) => !line.startsWith('gatekeeper: denied ')).at(-1) ?? '';
  return errnoNameOf(last) ?? last;
}

/** System V segments outlive their maker, and are the machine's. */
function tidy(): void {
  try {
    execFileSync('ipcrm', ['-M', '0x6b6b'], { stdio: 'ignore' });
  } catch {
    // There was none.
  }
}
