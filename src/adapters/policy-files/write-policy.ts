import { randomBytes } from 'node:crypto';
import { linkSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { writeFileAtomic } from '../process/atomic-file.ts';
import { makeDirectories } from '../process/private-directory.ts';
import { realPath } from './roots.ts';

/**
 * Writes a policy file as a whole. Without `replace` nothing that exists is touched, not even what appears at the last moment.
 * @throws GatekeeperError (GK_POLICY_EXISTS, GK_POLICY_EDIT)
 */
export function writePolicy(path: string, text: string, { replace = false } = {}): void {
  try {
    makeDirectories(dirname(path));
    // A link that the user put there, as dotfile managers do, stays one.
    if (replace) writeFileAtomic(realPath(path), text, { durable: true });
    else writeNew(path, text);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new GatekeeperError('GK_POLICY_EXISTS', { where: path, cause: error });
    throw new GatekeeperError('GK_POLICY_EDIT', { where: path, cause: error });
  }
}

/** A link to a complete file fails where a name exists, which a rename does not. */
function writeNew(path: string, text: string): void {
  const fresh = `${path}.${randomBytes(6).toString('hex')}.new`;
  writeFileAtomic(fresh, text, { durable: true });
  try {
    linkSync(fresh, path);
  } finally {
    rmSync(fresh, { force: true });
  }
}
