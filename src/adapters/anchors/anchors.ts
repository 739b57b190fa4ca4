import { existsSync } from 'node:fs';
import { parseCheckpoint } from '../../core/audit/checkpoint.ts';
import type { AuditSettings } from '../../core/audit/settings.ts';
import type { HomeLayout } from '../../core/contract/home-layout.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { commandHolder } from './command-holder.ts';
import { fileHolder } from './file-holder.ts';
import type { Holder } from './holder.ts';
import { JOURNAL_SOCKET, journalHolder } from './journal-holder.ts';
import { Lane, oneLine, within } from './lane.ts';
import { witnessHolder } from './witness-holder.ts';

export type AnchorLayout = Pick<HomeLayout, 'anchorFile' | 'audit' | 'auditSettings' | 'state'>;
export type AnchorsOptions = {
  holders: readonly Holder[];
  /** Hears when a holder fails, and why, and when it works again; at most once a minute of each. */
  tell: (holder: string, failure: string | undefined) => void;
};

/** Gives every checkpoint to all who hold them, without the log ever waiting for one of them or failing with it. */
export class Anchors {
  readonly #lanes: readonly Lane[];

  constructor({ holders, tell }: AnchorsOptions) {
    this.#lanes = holders.map((holder) => new Lane({ holder, tell }));
  }

  put(note: string): void {
    for (const lane of this.#lanes) lane.put(note);
  }

  /** Of those who do not take anything now. */
  failures(): { holder: string; failure: string }[] {
    return this.#lanes.flatMap(({ holder, failure }) =>
      failure === undefined ? [] : [{ holder: holder.name, failure }],
    );
  }

  /** What was put is with the holders then, or they had their time. */
  async close(): Promise<void> {
    await within(CLOSE_MS, () => Promise.allSettled(this.#lanes.map((lane) => lane.close()))).catch(() => undefined);
  }
}

/**
 * Everybody who is to hold checkpoints by these settings.
 * @throws GatekeeperError when a system journal is required and there is none
 */
export function holdersOf({ anchors }: Pick<AuditSettings, 'anchors'>, layout: AnchorLayout): Holder[] {
  const { journal, files, commands, witnesses } = anchors;
  const isThere = journal !== 'off' && existsSync(JOURNAL_SOCKET);
  if (journal === 'required' && !isThere) {
    throw new GatekeeperError('GK_AUDIT_SETTINGS', {
      what: 'checkpoints are to be in the system journal, and there is none',
      where: layout.auditSettings,
      remedy: `start systemd-journald (${JOURNAL_SOCKET} is missing), or let anchors: { journal: auto }`,
    });
  }
  const paths = [layout.anchorFile, ...files];
  return [
    ...paths.map((path) => fileHolder({ path, logDirectory: layout.audit })),
    ...(isThere ? [journalHolder()] : []),
    ...commands.map(commandHolder),
    ...witnesses.map((one) => witnessOf(one, layout)),
  ];
}

const witnessOf = (one: AuditSettings['anchors']['witnesses'][number], { audit, state }: AnchorLayout): Holder =>
  witnessHolder({ ...one, logDirectory: audit, keptIn: `${state}/witnesses` });

/** `times`: of each note, when its holder took it, as far as that is known. `error`: the holder could not be asked, or not wholly. */
export type ReadAnchor = { holder: string; notes: string[]; times: (string | undefined)[]; error?: string };

/** What the holders have, oldest first; of one log where its origin is given. Never rejects. Who is right is for the caller to tell. */
export async function readAnchors(
  settings: Pick<AuditSettings, 'anchors'>,
  layout: AnchorLayout,
  origin?: string,
): Promise<ReadAnchor[]> {
  return Promise.all(readableHolders(settings, layout).map((holder) => readHolder(holder, origin)));
}

async function readHolder(holder: Holder, origin: string | undefined): Promise<ReadAnchor> {
  try {
    const held = await within(READ_MS, () => holder.read(origin));
    const fitting = held.filter(({ note }) => parseCheckpoint(note) !== undefined);
    return { holder: holder.name, notes: fitting.map(({ note }) => note), times: fitting.map(({ time }) => time) };
  } catch (error) {
    return { holder: holder.name, notes: [], times: [], error: oneLine(error) };
  } finally {
    holder.close?.();
  }
}

/**
 * Lets those who compare what they are given with what they have seen say whether the log's checkpoint follows from it: witnesses.
 * @param note the newest checkpoint of the log
 */
export async function askHolders(
  settings: Pick<AuditSettings, 'anchors'>,
  layout: AnchorLayout,
  note: string,
): Promise<{ holder: string; failure?: string }[]> {
  const witnesses = settings.anchors.witnesses.map((one) => witnessOf(one, layout));
  return Promise.all(
    witnesses.map(async (holder) => {
      try {
        await within(READ_MS, (signal) => holder.put(note, signal));
        return { holder: holder.name };
      } catch (error) {
        return { holder: holder.name, failure: oneLine(error) };
      } finally {
        holder.close?.();
      }
    }),
  );
}

/** A journal that is required and missing is one that cannot be asked. */
function readableHolders({ anchors }: Pick<AuditSettings, 'anchors'>, layout: AnchorLayout): Holder[] {
  try {
    return holdersOf({ anchors }, layout);
  } catch (error) {
    if (!(error instanceof GatekeeperError)) throw error;
    const missing: Holder = {
      name: 'system journal',
      put: () => Promise.reject(error),
      read: () => Promise.reject(error),
    };
    return [...holdersOf({ anchors: { ...anchors, journal: 'off' } }, layout), missing];
  }
}

const CLOSE_MS = 3000;
const READ_MS = 20_000;
