import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';

/** Removes what a test made. The store of hooks keeps directories without the permission to write, which only root empties as they are. */
export function removeTree(root: string): void {
  try {
    rmSync(root, { recursive: true, force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    execFileSync('chmod', ['-R', 'u+rwX', root]);
    rmSync(root, { recursive: true, force: true });
  }
}
