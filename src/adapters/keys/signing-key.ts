import * as fs from 'node:fs';
import sodium from 'sodium-native';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { fingerprint, noteKeyId, publicKeyFile, publicKeyText, readPublicKey } from './public-key.ts';

export type SigningKey = {
  publicKey: Uint8Array;
  fingerprint: string;
  /** How signed notes call it, under a name. */
  keyId: (name: string) => string;
  /** Ed25519 over the text's UTF-8 bytes, base64. */
  sign: (text: string) => string;
  /** Runs a batch of signatures with the key's memory opened once. */
  whileOpen: <T>(work: () => T) => T;
  /** Overwrites the secret in memory: nothing is signed any more. */
  destroy: () => void;
};

/** Where the secret lies. */
export const secretKeyFile = (directory: string) => `${directory}/ed25519.key`;

/**
 * Opens the key that signs the audit log, or makes it at the first start. The secret lives in locked memory with guard pages that is
 * inaccessible but while something is signed: it never passes through a JavaScript string or an ordinary buffer.
 */
export function openSigningKey(directory: string): SigningKey {
  const path = secretKeyFile(directory);
  const secret = sodium.sodium_malloc(sodium.crypto_sign_SECRETKEYBYTES);
  const publicKey = Buffer.alloc(sodium.crypto_sign_PUBLICKEYBYTES);
  if (fs.existsSync(path)) loadKey(path, secret, publicKey);
  else createKey(directory, path, secret, publicKey);
  const known = readPublicKey(directory);
  if (known === undefined) writePublicKey(directory, publicKey);
  else if (!publicKey.equals(known)) throw keyError('the secret key and ed25519.pub are not a pair', path);
  return guardedKey(secret, publicKey);
}

/** A new key, whose secret is in a file that must not exist yet. */
export function makeSigningKey(path: string): SigningKey {
  const secret = sodium.sodium_malloc(sodium.crypto_sign_SECRETKEYBYTES);
  const publicKey = Buffer.alloc(sodium.crypto_sign_PUBLICKEYBYTES);
  sodium.crypto_sign_keypair(publicKey, secret);
  writeExclusive(path, secret);
  return guardedKey(secret, publicKey);
}

/** The key whose secret is in a file. */
export function loadSigningKey(path: string): SigningKey {
  const secret = sodium.sodium_malloc(sodium.crypto_sign_SECRETKEYBYTES);
  const publicKey = Buffer.alloc(sodium.crypto_sign_PUBLICKEYBYTES);
  loadKey(path, secret, publicKey);
  return guardedKey(secret, publicKey);
}

function guardedKey(secret: sodium.SecureBuffer, publicKey: Buffer): SigningKey {
  const signature = Buffer.alloc(sodium.crypto_sign_BYTES);
  let signed = Buffer.alloc(0);
  sodium.sodium_mprotect_noaccess(secret);
  let depth = 0;
  let gone = false;
  const whileOpen = <T>(work: () => T): T => {
    if (gone) throw new Error('the secret key was destroyed');
    if (depth++ === 0) sodium.sodium_mprotect_readonly(secret);
    try {
      return work();
    } finally {
      if (--depth === 0) sodium.sodium_mprotect_noaccess(secret);
    }
  };
  const sign = (text: string) =>
    whileOpen(() => {
      // Texts of one length follow each other: their buffer is used again.
      const length = Buffer.byteLength(text);
      if (signed.length !== length) signed = Buffer.alloc(length);
      signed.write(text);
      sodium.crypto_sign_detached(signature, signed, secret);
      return signature.toString('base64');
    });
  const keyId = (name: string) => noteKeyId(name, publicKey);
  const destroy = () => {
    if (gone) return;
    gone = true;
    sodium.sodium_mprotect_readwrite(secret);
    sodium.sodium_memzero(secret);
    sodium.sodium_mprotect_noaccess(secret);
  };
  return { publicKey, fingerprint: fingerprint(publicKey), keyId, sign, whileOpen, destroy };
}

function loadKey(path: string, secret: sodium.SecureBuffer, publicKey: Buffer): void {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFile() || stat.uid !== process.getuid?.())
      throw keyError('the secret key is not this user’s file', path);
    if ((stat.mode & 0o077) !== 0) throw keyError('the secret key is open to others', path);
    if (stat.size !== secret.length || fs.readSync(fd, secret, 0, secret.length, 0) !== secret.length) {
      throw keyError('the secret key has not the right length', path);
    }
  } finally {
    fs.closeSync(fd);
  }
  // The second half of a libsodium secret key is the public key; deriving it again proves the two halves belong together.
  const derived = sodium.sodium_malloc(secret.length);
  const seed = secret.subarray(0, sodium.crypto_sign_SEEDBYTES);
  sodium.crypto_sign_seed_keypair(publicKey, derived, seed);
  if (!sodium.sodium_memcmp(derived, secret)) throw keyError('the secret key is damaged', path);
  sodium.sodium_memzero(derived);
}

/** A public key without its secret one means that the key was lost or taken away: a new one would hide that. */
function createKey(directory: string, path: string, secret: sodium.SecureBuffer, publicKey: Buffer): void {
  if (readPublicKey(directory) !== undefined)
    throw keyError('the secret key is gone, but its public key is here', path);
  sodium.crypto_sign_keypair(publicKey, secret);
  writeExclusive(path, secret);
}

function writePublicKey(directory: string, publicKey: Buffer): void {
  writeExclusive(publicKeyFile(directory), publicKeyText(publicKey));
}

/** Complete or not there at all; never over a file that exists. */
function writeExclusive(path: string, content: Uint8Array | string): void {
  const fresh = `${path}.${process.pid}.new`;
  fs.rmSync(fresh, { force: true });
  const fd = fs.openSync(fresh, 'wx', 0o600);
  try {
    const length = typeof content === 'string' ? Buffer.byteLength(content) : content.length;
    const written = typeof content === 'string' ? fs.writeSync(fd, content) : fs.writeSync(fd, content);
    if (written !== length) throw keyError('the key could not be written', path);
    fs.fsyncSync(fd);
    fs.linkSync(fresh, path);
  } finally {
    fs.closeSync(fd);
    fs.rmSync(fresh, { force: true });
  }
}

function keyError(what: string, where: string): GatekeeperError {
  return new GatekeeperError('GK_AUDIT_KEY', {
    what,
    where,
    remedy: 'put the key back from a copy of the state directory',
  });
}
