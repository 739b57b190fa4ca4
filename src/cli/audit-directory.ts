import { existsSync } from 'node:fs';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { ownHome } from './home.ts';

/** The log's directory: the given one, or this user's. Throws GK_AUDIT_MISSING when it does not exist. */
export function auditDirectory(given?: string): string {
  const directory = given ?? ownHome().audit;
  if (!existsSync(directory)) throw new GatekeeperError('GK_AUDIT_MISSING', { where: directory });
  return directory;
}
