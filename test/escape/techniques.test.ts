import { describe, it } from 'vitest';
import { ordinaryAccount } from '../support/account.ts';
import type { EscapeRow } from './row.ts';
import { TABLES } from './rows.ts';
import { ROUNDS, type Stage, type StageOptions, useStage } from './stage.ts';

const account = ordinaryAccount();
const root = { name: 'root', user: undefined, isRoot: true };
const ordinary = { name: `an ordinary user${account ? ` (${account.name})` : ''}`, user: account, isRoot: false };
type Who = Omit<StageOptions, 'through' | 'hooks'>;

/** Whatever gatekeeper tells a program by its environment does not reach this one. */
const emptied = (who: Who): Stage =>
  useStage({
    ...who,
    name: `${who.name}, with an empty environment`,
    hooks: 'on',
    through: ['/usr/bin/env', '-i', `PATH=${process.env['PATH']}`],
  });
const plain = (who: Who): Stage => useStage({ ...who, hooks: 'on', through: [] });
const corrupted = (who: Who): Stage =>
  useStage({ ...who, name: `${who.name}, with hooks that lie`, hooks: 'corrupted', through: [] });

/** For each account the ways in which a row is tried inside; the first of them tries it outside as well. */
const stages: readonly Stage[][] =
  account === undefined
    ? [[plain(ordinary), emptied(ordinary), corrupted(ordinary)]]
    : [
        [plain(root), emptied(root)],
        [plain(ordinary), corrupted(ordinary)],
      ];

describe.each(Object.entries(TABLES))('%s', (_table, rows) => {
  const applicable = rows.filter((row) => stages.some(([first]) => first!.applies(row)));
  it.each(applicable.map((row) => [row.title, row] as const))('%s', async (_title, row) => {
    const own = stages.filter(([first]) => first!.applies(row));
    // What all processes of the machine share is one row's at a time.
    for (const [first] of own) await first!.succeedsOutside(row);
    const inside = own.flat();
    await each(inside, row, (stage) => stage.failsInside(row, ROUNDS / inside.length));
  });
});

/** Stages do not share anything, but racers want the processors for themselves. */
async function each(own: readonly Stage[], row: EscapeRow, attempt: (stage: Stage) => Promise<void>): Promise<void> {
  if (isRace(row)) {
    for (const stage of own) await attempt(stage);
    return;
  }
  // All come to their end: the next row finds nobody at work.
  const ends = await Promise.allSettled(own.map(attempt));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

const isRace = (row: EscapeRow): boolean => 'args' in row && row.args.includes('{rounds}');
