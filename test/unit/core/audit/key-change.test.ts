import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyAfter, keyChangeEntry, keyChangeStatement } from '../../../../src/core/audit/key-change.ts';

/** Of the form that public keys of Ed25519 have in certificates (RFC 8410). */
const PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const makeKey = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const text = publicKey.export({ type: 'spki', format: 'der' }).subarray(PREFIX.length).toString('base64');
  return { text, sign: (statement: string) => sign(null, Buffer.from(statement), privateKey).toString('base64') };
};
const check = (key: string, text: string, signature: string) => {
  const object: KeyObject = createPublicKey({
    key: Buffer.concat([PREFIX, Buffer.from(key, 'base64')]),
    format: 'der',
    type: 'spki',
  });
  return verify(null, Buffer.from(text), object, Buffer.from(signature, 'base64'));
};

const log = '00112233445566778899aabbccddeeff';
const [before, after, stranger] = [makeKey(), makeKey(), makeKey()];
const prev = '5a'.repeat(32);
const change = { log, keyBefore: before.text, key: after.text, prev };
const entry = { ...keyChangeEntry(change, '2026-01-01T00:00:00.000Z', after.sign), prev };

describe('a change of the key', () => {
  it('is an entry that the new key stands by, over a text that says which log and which keys', () => {
    expect(keyChangeStatement(change)).toBe(
      `gatekeeper key change 1\n${log}\n${before.text}\n${after.text}\n${prev}\n`,
    );
    expect(keyAfter(entry, { log, key: before.text }, check)).toBe(after.text);
  });

  it.each([
    ['of another log', { ...entry, log: log.replaceAll('0', '1') }],
    ['from another key', { ...entry, keyBefore: stranger.text }],
    ['to another key than the one that stands by it', { ...entry, key: stranger.text }],
    ['behind other entries than those that the new key stands by', { ...entry, prev: '00'.repeat(32) }],
    ['without a signature of the new key', { ...entry, keySig: undefined }],
    ['signed by the old key alone', { ...keyChangeEntry(change, entry.time, before.sign), prev }],
    ['to the same key', { ...keyChangeEntry({ ...change, key: before.text }, entry.time, before.sign), prev }],
    ['to something that is no key', { ...entry, key: 'AAAA' }],
    ['under another action', { ...entry, action: 'note' }],
  ])('is none %s', (_name, record) => {
    expect(keyAfter(record, { log, key: before.text }, check)).toBeUndefined();
  });
});
