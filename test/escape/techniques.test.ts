import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ordinaryAccount } from '../support/account.ts';
import type { Account, Outcome } from '../support/bare.ts';
import { inside, outside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';
import { errnoNameOf } from './errno.ts';
import { type Fixture, openFixture } from './fixture.ts';
import type { EscapeRow } from './row.ts';
import { TABLES } from './rows.ts';

const account = ordinaryAccount();
/** Rounds of a race: together they make as many, whoever runs the suite. */
const ROUNDS = 100_000;
const whoever: readonly [string, Account | undefined][] =
  account === undefined
    ? [['an ordinary user', undefined]]
    : [
        ['root', undefined],
        [`an ordinary user (${account.name})`, account],
      ];

describe.each(whoever)('as %s', (_who, user) => {
  const sandbox = useSandbox({ user });
  let fixture: Fixture;
  beforeAll(async () => {
    // An ordinary user's tests have to pass through the directory that root made.
    if (user) chmodSync(sandbox.root, 0o755);
    fixture = await openFixture(sandbox);
  });
  afterAll(() => fixture?.close());

  const isRoot = user === undefined && account !== undefined;
  for (const [name, rows] of Object.entries(TABLES)) {
    const applicable = rows.filter((row) => row.user === undefined || (row.user === 'root') === isRoot);
    describe(name, () => {
      it.each(applicable.map((row) => [row.title, row] as const))('%s', async (_title, row) => {
        await succeedsOutside(row);
        await failsInside(row, []);
        // Whatever gatekeeper tells a program by its environment does not reach this one.
        await failsInside(row, ['/usr/bin/env', '-i', `PATH=${process.env['PATH']}`]);
      });
    });
  }

  /** A technique that fails anyway would prove nothing about gatekeeper. */
  async function succeedsOutside(row: EscapeRow): Promise<void> {
    if (row.outside !== 'works') return;
    prepare(row);
    const result = await outside(sandbox, command(row, ROUNDS));
    expect(`${result.status} ${result.stderr}`).toBe('0 ');
    tidy();
  }

  async function failsInside(row: EscapeRow, through: readonly string[]): Promise<void> {
    prepare(row);
    const argv = [...through, ...command(row, ROUNDS / (2 * whoever.length))];
    const result = await inside(sandbox, argv, { policy: row.policy ?? 'default', options: row.options });
    tidy();
    expect(result.stdout).not.toContain('SECRET');
    expect([row.inside].flat()).toContain(outcome(result));
    if (row.unharmed) execFileSync('sh', ['-c', fixture.fill(row.unharmed)]);
    if (row.receipt === undefined) return;
    const { target, ...rest } = row.receipt;
    const wanted = { ...rest, verdict: 'deny', ...(target && { target: fixture.fill(target) }) };
    expect(result.receipts).toContainEqual(expect.objectContaining(wanted));
  }

  function command(row: EscapeRow, rounds: number): string[] {
    const argv = 'command' in row ? row.command : ['{probe}', row.technique, ...row.args];
    return argv.map((text) => fixture.fill(text).replaceAll('{rounds}', String(rounds)));
  }

  function prepare(row: EscapeRow): void {
    fixture.lay();
    if (row.before === undefined) return;
    execFileSync('sh', ['-c', fixture.fill(row.before)], user ? { uid: user.uid, gid: user.gid } : {});
  }
});

/** The errno's name that the probe printed, or the signal that ended it. */
function outcome(result: Outcome): string {
  if (result.status === 128 + 31) return 'SIGSYS';
  if (result.status === 0) return 'it worked';
  const last = result.stderr.trim().split('\n').at(-1) ?? '';
  return errnoNameOf(last) ?? last;
}

/** System V segments outlive their maker. */
function tidy(): void {
  try {
    execFileSync('ipcrm', ['-M', '0x6b6b'], { stdio: 'ignore' });
  } catch {
    // There was none.
  }
}
