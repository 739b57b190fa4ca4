import { chmod, readdir, rename, rmdir, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Removes what a run left, whatever it made of it: directories that may not be read or written (the module cache of Go is like that), names that
 * are not UTF-8, trees deeper than a path can say. Symbolic links are removed, never followed. Nobody may change the tree meanwhile.
 */
export async function removeTree(path: string): Promise<void> {
  const queue = [Buffer.from(path)];
  for (let tree = queue.pop(); tree !== undefined; tree = queue.pop()) await removeOne(tree, path, queue);
}

async function removeOne(path: Buffer, top: string, queue: Buffer[]): Promise<void> {
  if (path.length > DEEPEST_PATH) {
    // Moved up beside the tree, its path is short again.
    const moved = Buffer.from(`${dirname(top)}/${MOVED}${process.pid}-${moves++}`);
    await chmod(path, 0o700);
    await rename(path, moved);
    queue.push(moved);
    return;
  }
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true, encoding: 'buffer' })) {
    const child = Buffer.concat([path, SLASH, entry.name]);
    if (entry.isDirectory()) await removeOne(child, top, queue);
    else await unlink(child);
  }
  await rmdir(path);
}

/** What a removal that was interrupted leaves begins like this. */
export const MOVED = 'trash-';
const SLASH = Buffer.from('/');
/** Far below PATH_MAX (4096), and a recursion that no stack minds. */
const DEEPEST_PATH = 2048;
let moves = 0;
