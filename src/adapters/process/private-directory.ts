import { chmodSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';

/**
 * Makes a directory that only this user can enter, or checks one that exists. Another owner or a symbolic link is an error;
 * permissions for others are taken away.
 */
export function ensurePrivateDirectory(path: string): void {
  try {
    makeDirectories(path);
    const stat = lstatSync(path);
    if (!stat.isDirectory()) throw new Error('it is not a directory');
    if (stat.uid !== process.getuid?.()) throw new Error(`it belongs to user ${stat.uid}`);
    if ((stat.mode & 0o077) !== 0) chmodSync(path, 0o700);
  } catch (error) {
    const what = `the directory cannot be used: ${error instanceof Error ? error.message : error}`;
    throw new GatekeeperError('GK_HOME', { what, where: path, cause: error });
  }
}

/**
 * Makes a directory and those above it that are missing, all 0700. Node's own recursive mkdir tries for ever where the kernel says ENOENT for a
 * new name beneath a directory that exists, as /proc does.
 */
export function makeDirectories(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeDirectories(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
