import { constants } from 'node:fs';
import { chmod, type FileHandle, open, readdir, rename, rmdir, unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { O_PATH, throughDescriptor } from './pinned.ts';

/**
 * Removes what a run left, whatever it made of it: directories that may not be read or written (the module cache of Go is like that), names that
 * are not UTF-8, trees deeper than a path can say, a link in its own place. Every directory is held while its names are taken away, so links are
 * removed and never followed, even by somebody who changes the tree meanwhile.
 */
export async function removeTree(path: string): Promise<void> {
  const queue = [basename(path)];
  const parent = await hold(dirname(path));
  try {
    for (let name = queue.pop(); name !== undefined; name = queue.pop())
      await removeOne(Buffer.from(name), parent, { top: parent, queue, depth: 0 });
  } finally {
    await parent.close();
  }
}

type Place = { top: FileHandle; queue: string[]; depth: number };

async function removeOne(name: Buffer, parent: FileHandle, { top, queue, depth }: Place): Promise<void> {
  const path = Buffer.concat([throughDescriptor(parent.fd), name]);
  const held = await hold(path).catch(isNoDirectory);
  if (!held) return unlink(path);
  try {
    await chmod(throughDescriptor(held.fd), 0o700);
    if (depth === DEEPEST) {
      // Beside the tree it is at no depth again.
      const moved = `${MOVED}${process.pid}-${moves++}`;
      await rename(path, Buffer.concat([throughDescriptor(top.fd), Buffer.from(moved)]));
      queue.push(moved);
      return;
    }
    for (const entry of await readdir(throughDescriptor(held.fd), { withFileTypes: true, encoding: 'buffer' })) {
      if (entry.isDirectory()) await removeOne(entry.name, held, { top, queue, depth: depth + 1 });
      else await unlink(Buffer.concat([throughDescriptor(held.fd), entry.name]));
    }
  } finally {
    await held.close();
  }
  await rmdir(path);
}

const hold = (path: string | Buffer): Promise<FileHandle> =>
  open(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);

function isNoDirectory(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOTDIR') throw error;
}

/** What a removal that was interrupted leaves begins like this. */
export const MOVED = 'trash-';
/** A descriptor and a frame of the stack for each. */
const DEEPEST = 32;
let moves = 0;
