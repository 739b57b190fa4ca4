import { createPublicKey, verify } from 'node:crypto';

/** @param key base64 of 32 bytes; false for anything that is no signature of it */
export function verifyEd25519(key: string, text: string, signature: string): boolean {
  try {
    const der = Buffer.concat([SPKI, Buffer.from(key, 'base64')]);
    const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
    return verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

/** What stands before the 32 bytes (RFC 8410). */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
