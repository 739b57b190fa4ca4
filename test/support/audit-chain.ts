import { createHash, generateKeyPairSync, sign as signBytes, verify as verifyBytes } from 'node:crypto';
import { sealRecord } from '../../src/core/audit/chain.ts';
import { ChainVerifier } from '../../src/core/audit/chain-verifier.ts';
import { type AuditFields, CHAIN_START, type ChainHead } from '../../src/core/audit/record.ts';
import type { ProblemKind } from '../../src/core/audit/verify.ts';

/** A second implementation of hash and signature (node:crypto, where the product uses libsodium). */
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
export const hash = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');
export const sign = (text: string) => signBytes(null, Buffer.from(text), privateKey).toString('base64');
export const verify = (text: string, signature: string) =>
  verifyBytes(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64'));

export const TIME = '2026-11-21T06:00:00.123Z';

export const allowed = (target: string): AuditFields => ({ action: 'file_read', time: TIME, verdict: 'allow', target });
export const denied = (target: string): AuditFields => ({ action: 'file_read', time: TIME, verdict: 'deny', target });

export function chainOf(records: readonly AuditFields[], from: ChainHead = CHAIN_START): string[] {
  let head = from;
  return records.map((record) => {
    const sealed = sealRecord(record, head, { hash, sign });
    head = sealed.head;
    return sealed.line;
  });
}

export const chainVerifier = (quick = true) =>
  new ChainVerifier({ hash: (bytes) => createHash('sha256').update(bytes).digest('hex'), verify }, CHAIN_START, quick);

/** @param quick whether ordinary entries go the short way */
export function problemsOf(lines: readonly string[], quick = true): { seq: number; kind: ProblemKind }[] {
  const verifier = chainVerifier(quick);
  return lines.flatMap((line) => {
    const { kinds, seq } = verifier.line(Buffer.from(line));
    return kinds.map((kind) => ({ seq, kind }));
  });
}
