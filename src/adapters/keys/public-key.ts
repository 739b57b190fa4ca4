import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import sodium from 'sodium-native';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';

export const publicKeyFile = (directory: string) => `${directory}/ed25519.pub`;

/** The public key of a keys directory, or undefined when there is none. Throws when the file is something else. */
export function readPublicKey(directory: string): Uint8Array | undefined {
  return readPublicKeyFile(publicKeyFile(directory));
}

/** First line base64 of the 32 bytes; what follows (the fingerprint) is for people. */
export function readPublicKeyFile(path: string): Uint8Array | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new GatekeeperError('GK_AUDIT_KEY', { where: path, cause: error });
  }
  const line = text.split('\n', 1)[0] ?? '';
  const key = Buffer.from(line, 'base64');
  if (key.length !== sodium.crypto_sign_PUBLICKEYBYTES || key.toString('base64') !== line) {
    throw new GatekeeperError('GK_AUDIT_KEY', { where: path });
  }
  return key;
}

/** What such a file holds. */
export const publicKeyText = (publicKey: Uint8Array) =>
  `${Buffer.from(publicKey).toString('base64')}\n${fingerprint(publicKey)}\n`;

/** As OpenSSH writes it: SHA-256 of the key, base64 without padding. */
export function fingerprint(publicKey: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(publicKey).digest('base64').replace(/=+$/, '')}`;
}

/** How signed notes name a key of Ed25519 (C2SP signed-note), 8 hex digits. */
export function noteKeyId(name: string, publicKey: Uint8Array): string {
  return createHash('sha256').update(`${name}\n\x01`).update(publicKey).digest('hex').slice(0, 8);
}

/** Checks an Ed25519 signature (base64) over a text's UTF-8 bytes; false for anything that is no signature. */
export function verifyWith(publicKey: Uint8Array): (text: string, signature: string) => boolean {
  const key = Buffer.from(publicKey);
  return (text, signature) => {
    const bytes = Buffer.from(signature, 'base64');
    if (bytes.length !== sodium.crypto_sign_BYTES) return false;
    return sodium.crypto_sign_verify_detached(bytes, Buffer.from(text), key);
  };
}

/** What a log is verified with: the key that is trusted. */
export const verifyKey = (publicKey: Uint8Array) => ({
  publicKey,
  trusts: (key: Uint8Array) => Buffer.from(publicKey).equals(key),
});
