import { realpathSync, statSync } from 'node:fs';
import { NotAFile } from '../adapters/audit-log/line-reader.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { ownHome } from './home.ts';

/** The log's directory: the given one, or this user's. Throws GK_AUDIT_MISSING when it does not exist, and GK_AUDIT_READ when it cannot be looked at. */
export function auditDirectory(given?: string): string {
  const directory = given ?? ownHome().audit;
  try {
    if (statSync(directory).isDirectory()) return directory;
  } catch (error) {
    // That nothing can be seen there does not say that nothing is there.
    if (!ABSENT.has((error as NodeJS.ErrnoException).code ?? '')) throw readError(error, directory);
  }
  throw noLog(directory, given !== undefined);
}

/** @param given whether somebody named the directory */
export function noLog(where: string, given: boolean): GatekeeperError {
  if (!given) return new GatekeeperError('GK_AUDIT_MISSING', { where });
  return new GatekeeperError('GK_AUDIT_MISSING', {
    what: 'there is no audit log in the directory',
    where,
    remedy: 'name the one in which its files lie (000001.jsonl and so on): --log DIRECTORY',
  });
}

/** Whether it is this user's own log, and no copy of it. */
export function isOwnLog(directory: string): boolean {
  try {
    return realpathSync(directory) === realpathSync(ownHome().audit);
  } catch {
    return false;
  }
}

/** What failed while a log was read, as an error for its reader. */
export function readError(error: unknown, where: string): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  const why = error instanceof NotAFile ? message : syscall === undefined ? undefined : (WORDS[code ?? ''] ?? code);
  if (why === undefined) return error;
  return new GatekeeperError('GK_AUDIT_READ', { what: `the audit log cannot be read: ${why}`, where, cause: error });
}

const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR']);
const WORDS: Readonly<Record<string, string>> = { EACCES: 'permission denied', EPERM: 'permission denied' };
