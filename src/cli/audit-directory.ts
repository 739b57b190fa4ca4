import { existsSync, realpathSync } from 'node:fs';
import { NotAFile } from '../adapters/audit-log/line-reader.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { ownHome } from './home.ts';

/** The log's directory: the given one, or this user's. Throws GK_AUDIT_MISSING when it does not exist. */
export function auditDirectory(given?: string): string {
  const directory = given ?? ownHome().audit;
  if (!existsSync(directory)) throw noLog(directory, given !== undefined);
  return directory;
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
  const why = error instanceof NotAFile ? message : syscall === undefined ? undefined : code;
  if (why === undefined) return error;
  return new GatekeeperError('GK_AUDIT_READ', { what: `the audit log cannot be read: ${why}`, where, cause: error });
}
