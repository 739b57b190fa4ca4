import { constants, realpathSync, statSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseCheckpoint } from '../../core/audit/checkpoint.ts';
import { noteLine, noteOfLine } from '../../core/audit/note-line.ts';
import type { HeldNote, Holder } from './holder.ts';

export type FileHolderOptions = {
  path: string;
  /** The log's own directory, where a file would go the way of the log. */
  logDirectory: string;
  now?: () => string;
  /** A file that has grown to this is put into its short form. */
  compactBytes?: number;
};

/**
 * Notes in a file, one a line: the time, a blank, the note in one line. Lines are appended and on the disk before a note counts as taken. A file that
 * has grown keeps the first and the newest notes of each log.
 */
export function fileHolder({
  path,
  logDirectory,
  now = isoNow,
  compactBytes = COMPACT_BYTES,
}: FileHolderOptions): Holder {
  return {
    name: `file ${path}`,
    put: async (note) => {
      refuseInside(path, logDirectory);
      const size = await append(path, `${now()} ${noteLine(note)}\n`);
      if (size > compactBytes) await compact(path);
    },
    read: async (origin) => {
      const notes = await readNotes(path);
      return origin === undefined ? notes : notes.filter(({ note }) => parseCheckpoint(note)?.origin === origin);
    },
  };
}

async function append(path: string, line: string): Promise<number> {
  const file = await openOwn(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT);
  try {
    const { size } = await file.stat();
    const last = Buffer.alloc(1, '\n');
    if (size > 0) await file.read(last, 0, 1, size - 1);
    // A line that a crash left unfinished stays one of its own.
    const bytes = Buffer.from(last[0] === NEWLINE ? line : `\n${line}`);
    const { bytesWritten } = await file.write(bytes);
    if (bytesWritten !== bytes.length) throw new Error('the disk is full');
    await file.datasync();
    return size + bytes.length;
  } finally {
    await file.close();
  }
}

/** Replaced as a whole. What stands beside it for that has one name, which runs cannot reach either. */
async function compact(path: string): Promise<void> {
  const kept = shortForm(await readNotes(path));
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  const file = await openOwn(fresh, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
  try {
    await file.writeFile(kept.map(({ time, note }) => `${time} ${noteLine(note)}\n`).join(''));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
  const directory = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  await directory.sync().finally(() => directory.close());
}

/** Of each log the first note and the newest ones; of many logs the newest. In the order in which they were. */
export function shortForm(notes: readonly HeldNote[]): HeldNote[] {
  const logs = new Map<string, HeldNote[]>();
  for (const held of notes) {
    const origin = parseCheckpoint(held.note)?.origin ?? '';
    const own = logs.get(origin) ?? [];
    own.push(held);
    logs.delete(origin); // the last one in the order is that of the newest note
    logs.set(origin, own);
  }
  const kept = new Set(
    [...logs.values()].slice(-MOST_LOGS).flatMap((own) => [...own.slice(0, 1), ...own.slice(1).slice(-MOST_NEWEST)]),
  );
  return notes.filter((held) => kept.has(held));
}

/** A file that is not there holds nothing. Lines that are no notes are passed over. */
async function readNotes(path: string): Promise<HeldNote[]> {
  let file: FileHandle;
  try {
    file = await openOwn(path, constants.O_RDONLY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    if ((await file.stat()).size > MOST_BYTES) throw new Error(`the file is larger than ${MOST_BYTES} bytes`);
    const lines = (await file.readFile('utf8')).split('\n');
    return lines.flatMap((line) => {
      const [, time, text] = /^(\S{20,40}) (.+)$/u.exec(line) ?? [];
      const note = text === undefined ? undefined : noteOfLine(text);
      return time === undefined || note === undefined || parseCheckpoint(note) === undefined ? [] : [{ note, time }];
    });
  } finally {
    await file.close();
  }
}

/** Of this user, closed to others, and no link to something else; never waits for the other end of a FIFO. */
async function openOwn(path: string, flags: number): Promise<FileHandle> {
  const file = await open(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600).catch((error) => {
    throw error.code === 'ELOOP' ? new Error(`${path} is a symbolic link`) : error;
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error(`${path} is not a regular file`);
    if (stat.uid !== process.getuid?.()) throw new Error(`${path} belongs to user ${stat.uid}`);
    if ((stat.mode & 0o022) !== 0) throw new Error(`others can write ${path}`);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** By what the directories are rather than by their names, which links and mounts can change. */
function refuseInside(path: string, directory: string): void {
  const own = statSync(directory);
  for (let at = realpathSync(dirname(path)); ; at = dirname(at)) {
    const { dev, ino } = statSync(at);
    if (dev === own.dev && ino === own.ino) throw new Error('it lies in the directory of the log itself');
    if (at === '/') return;
  }
}

const isoNow = () => new Date().toISOString();
const NEWLINE = 0x0a;
const COMPACT_BYTES = 256 * 1024;
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_NEWEST = 100;
const MOST_LOGS = 100;
