import { createPublicKey, verify as verifyBytes } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readPublicKey, verifyWith } from '../../../../src/adapters/keys/public-key.ts';
import { openSigningKey } from '../../../../src/adapters/keys/signing-key.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

describe('the signing key', () => {
  test('is made once, for this user alone', () => {
    const at = temporaryDirectory();
    const key = openSigningKey(at);
    expect(openSigningKey(at).fingerprint).toBe(key.fingerprint);
    expect(readdirSync(at)).toEqual(['ed25519.key', 'ed25519.pub']);
    expect(statSync(`${at}/ed25519.key`).mode & 0o777).toBe(0o600);
    expect(readFileSync(`${at}/ed25519.pub`, 'utf8')).toBe(
      `${Buffer.from(key.publicKey).toString('base64')}\n${key.fingerprint}\n`,
    );
  });

  test('signs what its public key verifies, and nothing else', () => {
    const at = temporaryDirectory();
    const signature = openSigningKey(at).sign('text');
    const verify = verifyWith(readPublicKey(at)!);
    expect(verify('text', signature)).toBe(true);
    expect(verify('texts', signature)).toBe(false);
    expect(verify('text', openSigningKey(temporaryDirectory()).sign('text'))).toBe(false);
    expect(verify('text', 'rubbish')).toBe(false);
  });

  test('makes signatures that another implementation verifies', () => {
    const key = openSigningKey(temporaryDirectory());
    const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key.publicKey]);
    const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
    const signature = Buffer.from(key.sign('text'), 'base64');
    expect(verifyBytes(null, Buffer.from('text'), publicKey, signature)).toBe(true);
  });

  test('writes its public key again when only that is missing', () => {
    const at = temporaryDirectory();
    const { fingerprint } = openSigningKey(at);
    rmSync(`${at}/ed25519.pub`);
    expect(openSigningKey(at).fingerprint).toBe(fingerprint);
    expect(readPublicKey(at)).toBeDefined();
  });

  test.each<[string, (at: string) => void, string]>([
    [
      'the secret key is gone',
      (at) => rmSync(`${at}/ed25519.key`),
      'the secret key is gone, but its public key is here',
    ],
    ['others can read it', (at) => chmodSync(`${at}/ed25519.key`, 0o640), 'the secret key is open to others'],
    ['it is cut short', (at) => writeFileSync(`${at}/ed25519.key`, 'x'), 'the secret key has not the right length'],
    [
      'its halves do not belong together',
      (at) => writeFileSync(`${at}/ed25519.key`, Buffer.alloc(64)),
      'the secret key is damaged',
    ],
    [
      'the public key is another one',
      (at) => writeFileSync(`${at}/ed25519.pub`, `${Buffer.alloc(32).toString('base64')}\n`),
      'the secret key and ed25519.pub are not a pair',
    ],
    [
      'the public key is rubbish',
      (at) => writeFileSync(`${at}/ed25519.pub`, 'rubbish\n'),
      'the public key cannot be read',
    ],
  ])('is refused when %s', (_name, change, what) => {
    const at = temporaryDirectory();
    openSigningKey(at);
    change(at);
    expect(() => openSigningKey(at)).toThrow(what);
  });

  test('is not read through a symbolic link', () => {
    const at = temporaryDirectory();
    const elsewhere = temporaryDirectory();
    openSigningKey(elsewhere);
    symlinkSync(`${elsewhere}/ed25519.key`, `${at}/ed25519.key`);
    expect(() => openSigningKey(at)).toThrow('ELOOP');
  });
});
