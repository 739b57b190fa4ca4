import { describe, it } from 'vitest';
import { ordinaryAccount } from '../support/account.ts';
import type { EscapeRow } from './row.ts';
import { TABLES } from './rows.ts';
import { ROUNDS, type Stage, type StageOptions, useStage } from './stage.ts';

const account = ordinaryAccount();
const ordinary = { name: `an ordinary user${account ? ` (${account.name})` : ''}`, user: account, isRoot: false };
const accounts: readonly Omit<StageOptions, 'through'>[] =
  account === undefined ? [ordinary] : [{ name: 'root', user: undefined, isRoot: true }, ordinary];

const stages = accounts.map((who) => ({
  plain: useStage({ ...who, through: [] }),
  // Whatever gatekeeper tells a program by its environment does not reach this one.
  emptied: useStage({
    ...who,
    name: `${who.name}, with an empty environment`,
    through: ['/usr/bin/env', '-i', `PATH=${process.env['PATH']}`],
  }),
}));

describe.each(Object.entries(TABLES))('%s', (_table, rows) => {
  const applicable = rows.filter((row) => stages.some(({ plain }) => plain.applies(row)));
  it.each(applicable.map((row) => [row.title, row] as const))('%s', async (_title, row) => {
    const own = stages.filter(({ plain }) => plain.applies(row));
    // What all processes of the machine share is one row's at a time.
    for (const { plain } of own) await plain.succeedsOutside(row);
    const inside = own.flatMap(({ plain, emptied }) => [plain, emptied]);
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
