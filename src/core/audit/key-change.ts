import { isSignature } from './chain.ts';
import type { AuditFields } from './record.ts';

/** Public keys are the base64 of 32 bytes. */
export type KeyChange = {
  /** The log's identifier, 32 hex digits. */
  log: string;
  keyBefore: string;
  key: string;
  /** Hash of the entry before this one, and so of all before it. */
  prev: string;
};

/**
 * What the new key signs, so that nobody can hand a log to a key whose owner knows nothing of it, and that whoever has the old one cannot write anew what was
 * before: the new key stands by exactly those entries. The entry itself is signed by the old one.
 */
export const keyChangeStatement = ({ log, keyBefore, key, prev }: KeyChange) =>
  `gatekeeper key change 1\n${log}\n${keyBefore}\n${key}\n${prev}\n`;

/** The entry behind which another key signs. @param sign Ed25519 by the new key over the text's UTF-8 bytes, as base64 */
export function keyChangeEntry(change: KeyChange, time: string, sign: (text: string) => string): AuditFields {
  const { log, keyBefore, key } = change;
  return { action: 'key_change', time, log, key, keyBefore, keySig: sign(keyChangeStatement(change)) };
}

/**
 * The key that signs from the entry on, or undefined when it is no change of `current` that both keys stand by. That the entry's own signature is that of the
 * current key is for the caller to have checked.
 * @param verify Ed25519 by the key (base64) over the text's UTF-8 bytes
 */
export function keyAfter(
  record: { readonly [member: string]: unknown },
  current: { log: string; key: string },
  verify: (key: string, text: string, signature: string) => boolean,
): string | undefined {
  const { action, log, key, keyBefore, keySig, prev } = record;
  if (action !== 'key_change' || log !== current.log || keyBefore !== current.key) return undefined;
  if (typeof key !== 'string' || !isPublicKey(key) || key === current.key) return undefined;
  if (typeof keySig !== 'string' || !isSignature(keySig) || typeof prev !== 'string') return undefined;
  const statement = keyChangeStatement({ log: current.log, keyBefore: current.key, key, prev });
  return verify(key, statement, keySig) ? key : undefined;
}

/** Base64 of 32 bytes in its one canonical spelling. */
export const isPublicKey = (text: string) => /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(text);
