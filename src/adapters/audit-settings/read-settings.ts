import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { type AuditSettings, defaultAuditSettings, parseAuditSettings } from '../../core/audit/settings.ts';
import type { HomeLayout } from '../../core/contract/home-layout.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { PolicyError } from '../../core/policy/policy-error.ts';

/** The settings of the audit log; without a file, those that hold by themselves. Throws when there is one that cannot be used. */
export function readAuditSettings({ auditSettings: where }: Pick<HomeLayout, 'auditSettings'>): AuditSettings {
  let text: string;
  try {
    text = readOwn(where);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return defaultAuditSettings();
    if (error instanceof GatekeeperError) throw error;
    throw new GatekeeperError('GK_AUDIT_SETTINGS', { where, cause: error, remedy: 'make it readable, or remove it' });
  }
  try {
    return parseAuditSettings(where, text, isCosigner);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const [{ line, column, text: what, remedy } = { line: 0, column: 0, text: error.message, remedy: undefined }] =
      error.problems;
    throw new GatekeeperError('GK_AUDIT_SETTINGS', {
      what: `the settings of the audit log are not valid: ${what}`,
      where: line > 0 ? `${where}:${line}:${column}` : where,
      cause: error,
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
}

/** It names programs that the daemon starts: whoever can write it acts as this user. As with a policy, a group that has its owner's number is that user's alone. */
function readOwn(where: string): string {
  const refuse = (what: string, remedy: string): never => {
    throw new GatekeeperError('GK_AUDIT_SETTINGS', { what: `the settings of the audit log ${what}`, where, remedy });
  };
  // Without O_NONBLOCK a FIFO in its place would hold the daemon until somebody writes to it.
  const fd = openSync(where, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stat = fstatSync(fd);
    const { uid, gid, mode, size } = stat;
    const own = process.getuid?.() ?? 0;
    if (!stat.isFile()) refuse('are not a regular file', 'put one there, or nothing');
    if (uid !== own && uid !== 0) refuse(`belong to user ${uid}`, `chown them to ${own}`);
    if ((mode & 0o002) !== 0) refuse('can be written by everyone', 'take that away: chmod o-w');
    if ((mode & 0o020) !== 0 && gid !== uid) refuse(`can be written by group ${gid}`, 'take that away: chmod g-w');
    if (size > MOST_BYTES) refuse(`are larger than ${MOST_BYTES} bytes`, 'they take a few lines');
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

/** `name+keyid+base64`: the key's type 0x04 and its 32 bytes, with the identifier that belongs to them (C2SP signed-note, tlog-cosignature). */
function isCosigner(key: string): boolean {
  const [, name, id, base64] = /^([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/u.exec(key) ?? [];
  if (name === undefined || base64 === undefined) return false;
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== 33 || bytes[0] !== COSIGNATURE_V1 || bytes.toString('base64') !== base64) return false;
  return createHash('sha256').update(`${name}\n`).update(bytes).digest('hex').slice(0, 8) === id;
}

const COSIGNATURE_V1 = 4;
const MOST_BYTES = 1024 * 1024;
