import { existsSync } from 'node:fs';
import { parseCheckpoint } from '../../core/audit/checkpoint.ts';
import { noteOfLine } from '../../core/audit/note-line.ts';
import { eachLine } from './bounded-lines.ts';
import { type HeldNote, MOST_READ } from './holder.ts';

/** `options`: further ones for journalctl, as where the journal lies. */
export type JournalReader = { program?: string; options?: readonly string[]; uid?: number };

/**
 * The newest notes that this user has put into the system journal, oldest first. Who else could write such an entry has not the key that signs notes; who
 * writes many of them makes this fail, rather than hide what is there.
 */
export async function readJournalNotes(
  { program = journalctl(), options = [], uid = process.getuid?.() ?? 0 }: JournalReader,
  origin: string | undefined,
): Promise<HeldNote[]> {
  const found: HeldNote[] = [];
  const argv = [
    ...[program, ...options, '--identifier=gatekeeper-audit', '--output=json', '--all', '--reverse', '--quiet'],
    ...['--no-pager', '--output-fields=MESSAGE', `_UID=${uid}`],
  ];
  await eachLine(argv, LIMITS, (line) => {
    const held = entryOf(line);
    if (held !== undefined && (origin === undefined || parseCheckpoint(held.note)?.origin === origin)) found.push(held);
    return found.length < MOST_READ;
  });
  return found.reverse();
}

/** A journal's entry as JSON; times are microseconds since the epoch. */
function entryOf(line: string): HeldNote | undefined {
  try {
    const { MESSAGE, __REALTIME_TIMESTAMP } = JSON.parse(line) as Record<string, unknown>;
    const note = typeof MESSAGE === 'string' ? noteOfLine(MESSAGE) : undefined;
    if (note === undefined || parseCheckpoint(note) === undefined) return undefined;
    return { note, time: new Date(Number(__REALTIME_TIMESTAMP) / 1000).toISOString() };
  } catch {
    return undefined;
  }
}

const journalctl = (): string =>
  ['/usr/bin/journalctl', '/bin/journalctl', '/run/current-system/sw/bin/journalctl'].find((path) =>
    existsSync(path),
  ) ?? 'journalctl';

const LIMITS = { mostBytes: 64 * 1024 * 1024, milliseconds: 15_000 };
