import { type AnchorState, agreements, isTrouble } from '../../adapters/anchors/agreement.ts';
import { askHolders, readAnchors } from '../../adapters/anchors/anchors.ts';
import { readCheckpointFile } from '../../adapters/audit-log/read.ts';
import { readAuditSettings } from '../../adapters/audit-settings/read-settings.ts';
import { statusIfRunning } from '../../adapters/control-client/start-daemon.ts';
import type { AuditSettings } from '../../core/audit/settings.ts';
import type { HomeLayout } from '../../core/contract/home-layout.ts';
import { auditDirectory, readError } from '../audit-directory.ts';
import { ownHome } from '../home.ts';
import { print, printJson } from '../render/print.ts';
import { table } from '../render/table.ts';

/** Lists who holds checkpoints of this user's log. Exits 1 when one disagrees, cannot be asked, or takes nothing. */
export async function auditAnchors({ ask = false, json = false }: { ask?: boolean; json?: boolean }): Promise<number> {
  const layout = ownHome();
  const directory = auditDirectory();
  const settings = readAuditSettings(layout);
  const states = await statesOf(settings, layout, directory, ask).catch((error) => {
    throw readError(error, directory);
  });
  const failing = (await statusIfRunning(layout))?.anchorErrors ?? [];
  const rows = states.map((state) => {
    const failure = state.failure ?? failing.find(({ holder }) => holder === state.holder)?.failure;
    return failure === undefined ? state : { ...state, failure };
  });
  if (json) printJson(rows);
  else print(table(['HOLDER', 'ENTRIES', 'TIME (UTC)', 'STATE'], rows.map(row), 200));
  return rows.some((state) => isTrouble(state, settings) || state.failure !== undefined) ? 1 : 0;
}

type Row = AnchorState & { failure?: string };

async function statesOf(settings: AuditSettings, layout: HomeLayout, directory: string, ask: boolean): Promise<Row[]> {
  const note = readCheckpointFile(directory);
  const answers = ask && note !== undefined ? await askHolders(settings, layout, note) : [];
  const states = await agreements(directory, await readAnchors(settings, layout));
  return states.map((state) => {
    const failure = answers.find(({ holder }) => holder === state.holder)?.failure;
    return failure === undefined ? state : { ...state, failure };
  });
}

function row({ holder, agreement, size, time, error, failure }: Row): string[] {
  const words = error === undefined ? WORDS[agreement] : `${WORDS[agreement]}: ${error}`;
  return [
    holder,
    size === undefined ? '-' : String(size),
    time?.slice(0, 19).replace('T', ' ') ?? '-',
    failure === undefined ? words : `${words}; it takes no checkpoints: ${failure}`,
  ];
}

const WORDS: Readonly<Record<AnchorState['agreement'], string>> = {
  agrees: 'agrees',
  ahead: 'HAS MORE: the log was cut or put back',
  differs: 'DIFFERS: the log was changed or forked',
  unsigned: 'NOT SIGNED by a key of this log',
  unknown: 'agrees or not: the entries that tell are gone from the log',
  nothing: 'has given nothing back',
  unreadable: 'cannot be asked',
};
