import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type AuditSettings, defaultAuditSettings, parseAuditSettings } from '../../core/audit/settings.ts';
import type { HomeLayout } from '../../core/contract/home-layout.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { PolicyError } from '../../core/policy/policy-error.ts';

/** The settings of the audit log; without a file, those that hold by themselves. Throws when there is one that cannot be used. */
export function readAuditSettings({ auditSettings: where }: Pick<HomeLayout, 'auditSettings'>): AuditSettings {
  let text: string;
  try {
    text = readFileSync(where, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return defaultAuditSettings();
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

/** `name+keyid+base64`: the key's type 0x04 and its 32 bytes, with the identifier that belongs to them (C2SP signed-note, tlog-cosignature). */
function isCosigner(key: string): boolean {
  const [, name, id, base64] = /^([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/u.exec(key) ?? [];
  if (name === undefined || base64 === undefined) return false;
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== 33 || bytes[0] !== COSIGNATURE_V1 || bytes.toString('base64') !== base64) return false;
  return createHash('sha256').update(`${name}\n`).update(bytes).digest('hex').slice(0, 8) === id;
}

const COSIGNATURE_V1 = 4;
