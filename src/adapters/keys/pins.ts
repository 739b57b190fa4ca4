import { dirname } from 'node:path';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { writeFileAtomic } from '../process/atomic-file.ts';
import { makeDirectories } from '../process/private-directory.ts';
import { readIfThere } from '../process/shared-file.ts';

/** Fingerprints of the keys that have signed the log, the newest last; none when nothing is pinned. Throws when the file holds something else. */
export function readPins(path: string): string[] {
  const lines = (readFile(path) ?? '').split('\n').filter((line) => !/^\s*(#|$)/.test(line));
  return lines.map((line) => {
    const [fingerprint = ''] = line.trim().split(/\s+/);
    if (!FINGERPRINT.test(fingerprint)) throw pinError(path, 'it holds something that is no fingerprint');
    return fingerprint;
  });
}

/** Once for each key. */
export function addPin(path: string, fingerprint: string): void {
  if (readPins(path).includes(fingerprint)) return;
  makeDirectories(dirname(path));
  const text = readFile(path) ?? COMMENT;
  writeFileAtomic(path, `${text}${text.endsWith('\n') ? '' : '\n'}${fingerprint}\n`, { durable: true });
}

/** A log that goes on with a key which nobody has pinned would be one that anybody could have written anew. */
export function requirePinned(path: string, fingerprint: string | undefined): void {
  const pins = readPins(path);
  if (pins.length === 0 || (fingerprint !== undefined && pins.includes(fingerprint))) return;
  throw pinError(path, fingerprint === undefined ? 'the signing key is gone' : `the signing key is ${fingerprint}`);
}

function readFile(path: string): string | undefined {
  try {
    return readIfThere(path);
  } catch (error) {
    throw new GatekeeperError('GK_AUDIT_PIN', { where: path, cause: error, remedy: 'make the file readable' });
  }
}

const pinError = (where: string, why: string) =>
  new GatekeeperError('GK_AUDIT_PIN', { what: `the signing key is not the pinned one: ${why}`, where });

const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;
const COMMENT = `# Fingerprints of the keys that sign the audit log of this user, the newest last. Verification trusts them; keep a copy on another machine.
`;
