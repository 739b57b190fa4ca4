import type { Trust } from '../adapters/audit-log/verify-log.ts';
import { readPins } from '../adapters/keys/pins.ts';
import { fingerprint, publicKeyFile, readPublicKeyFile, verifyKey } from '../adapters/keys/public-key.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { ownHome } from './home.ts';

export type TrustOptions = { publicKey?: string; fingerprint?: string };
/** `by`: what is trusted, in words. */
export type NamedTrust = Trust & { by: string };

/**
 * Whose signatures are believed: who is named, else who is pinned here, else this user's own key. Never a key that lies beside the log or stands in it: whoever
 * could write the log anew could put that there too.
 * @param isOwn whether it is this user's own log, which goes on with the latest key that was pinned
 * @throws GatekeeperError (GK_USAGE, GK_AUDIT_KEY, GK_AUDIT_PIN)
 */
export function trustOf({ publicKey: file, fingerprint: wanted }: TrustOptions, isOwn: boolean): NamedTrust {
  const { keys, pinFile } = ownHome();
  if (file !== undefined) {
    const key = readPublicKeyFile(file);
    if (!key) throw new GatekeeperError('GK_AUDIT_KEY', { where: file });
    if (wanted !== undefined && fingerprint(key) !== wanted) {
      throw new GatekeeperError('GK_AUDIT_KEY', { what: `the public key is ${fingerprint(key)}`, where: file });
    }
    return { ...verifyKey(key), by: `${fingerprint(key)} (${file})` };
  }
  if (wanted !== undefined) return byFingerprints([wanted], `${wanted} (named)`);
  const pins = readPins(pinFile);
  const latest = pins.at(-1);
  if (latest !== undefined) return byFingerprints(isOwn ? [latest] : pins, `${latest} (${pinFile})`);
  const own = publicKeyFile(keys);
  const key = readPublicKeyFile(own);
  if (!key) {
    throw new GatekeeperError('GK_AUDIT_KEY', {
      what: 'no key is trusted here: none is pinned, and there is none of this user',
      where: own,
      remedy: 'give the fingerprint that you were told by another way than the log: --fingerprint SHA256:…',
    });
  }
  return { ...verifyKey(key), by: `${fingerprint(key)} (${own})` };
}

function byFingerprints(fingerprints: readonly string[], by: string): NamedTrust {
  const wrong = fingerprints.find((text) => !FINGERPRINT.test(text));
  if (wrong !== undefined) {
    throw new GatekeeperError('GK_USAGE', {
      what: `${wrong} is not a fingerprint`,
      remedy: 'it has the form SHA256: and 43 characters, as gatekeeper daemon status prints it',
    });
  }
  return { by, trusts: (key) => fingerprints.includes(fingerprint(key)), publicKey: ownKey(fingerprints) };
}

/** The key of a fingerprint, if it is this user's. */
function ownKey(fingerprints: readonly string[]): Uint8Array | undefined {
  try {
    const key = readPublicKeyFile(publicKeyFile(ownHome().keys));
    return key && fingerprints.includes(fingerprint(key)) ? key : undefined;
  } catch {
    return undefined;
  }
}

const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;
