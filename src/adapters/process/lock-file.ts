import { createHash, randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isAlive, type ProcessIdentity, processIdentity } from './process-identity.ts';

export type LockFile = {
  /** Only what is still one's own. */
  release: () => void;
  /** Whether it still is. One that was only removed is taken again. */
  isHeld: () => boolean;
};

/**
 * Takes an exclusive lock for the life of this process, or says who holds it. Node has no flock(2), so the lock is a file that names its
 * holder by pid, start time and boot: `kill -9` leaves a file that nobody holds, which the next one takes over.
 *
 * Taking over must not be a race: a stale file is replaced only by the holder of a second lock of the same kind, and only after
 * a second look at it. Files appear complete (link(2) of a written one), so none is ever read half.
 */
export function takeLock(path: string): LockFile | { heldBy: ProcessIdentity | undefined } {
  const own = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
  writeFileSync(own, JSON.stringify(processIdentity(process.pid)), { mode: 0o600, flag: 'wx' });
  try {
    return acquire(path, own, 0);
  } finally {
    rmSync(own, { force: true });
  }
}

function acquire(path: string, own: string, depth: number): LockFile | { heldBy: ProcessIdentity | undefined } {
  if (tryLink(own, path)) return heldLock(path);
  const found = read(path);
  if (found === undefined) return acquireAgain(path, own, depth); // released meanwhile
  const holder = parseIdentity(found);
  if (holder !== undefined && isAlive(holder)) return { heldBy: holder };
  if (depth >= MAX_DEPTH) return { heldBy: undefined };
  const takeover = acquire(`${path}.${digest(found)}`, own, depth + 1);
  if (!('release' in takeover)) return takeover;
  try {
    if (read(path) !== found) return { heldBy: undefined }; // another one took it over before us
    const copy = `${own}.new`;
    linkSync(own, copy);
    renameSync(copy, path);
    return heldLock(path);
  } finally {
    takeover.release();
  }
}

function acquireAgain(path: string, own: string, depth: number): LockFile | { heldBy: ProcessIdentity | undefined } {
  return depth >= MAX_DEPTH ? { heldBy: undefined } : acquire(path, own, depth + 1);
}

function heldLock(path: string): LockFile {
  let own = fileOf(path);
  const isHeld = () => {
    const found = fileOf(path);
    if (found !== undefined) return found === own;
    const again = takeLock(path);
    if ('release' in again) own = fileOf(path);
    return 'release' in again;
  };
  return {
    isHeld,
    release: () => {
      if (fileOf(path) === own) rmSync(path, { force: true });
    },
  };
}

/** Which file it is, whatever its name; undefined when there is none. */
function fileOf(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.dev}:${stat.ino}:${stat.mtimeNs}`;
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parseIdentity(text: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, startTime, boot } = value as Record<string, unknown>;
    return typeof pid === 'number' && typeof startTime === 'string' && typeof boot === 'string'
      ? { pid, startTime, boot }
      : undefined;
  } catch {
    return undefined;
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12);
const MAX_DEPTH = 4;
