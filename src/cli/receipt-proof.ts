import { readCheckpointFile } from '../adapters/audit-log/read.ts';
import { fingerprint } from '../adapters/keys/public-key.ts';
import { sha256 } from '../adapters/policy-files/digest.ts';
import { hashedText } from '../core/audit/chain.ts';
import { parseCheckpoint } from '../core/audit/checkpoint.ts';
import type { AuditRecord } from '../core/audit/record.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { isOwnLog } from './audit-directory.ts';
import { type NamedTrust, trustOf } from './audit-trust.ts';
import { isSignedBy, keysInForce } from './keys-in-force.ts';

/**
 * `signature`: by a key that is trusted here (`own`), by one of the same log that handed over to such a key, or that such a key handed over to (`cross-signed`),
 * by no such key (`other`), or none, which plain allows have. `signer`: fingerprint of the key that signs there. `covered`: by the checkpoint of so many entries.
 */
export type Proof = {
  hashFits: boolean;
  signature: 'own' | 'cross-signed' | 'other' | 'none' | 'unknown';
  signer: string | null;
  checkpoint: number | null;
  covered: boolean;
};

/** How an entry is proven, as far as it can be said without reading all that is before it. */
export function proofOf(directory: string, record: AuditRecord, line: string): Proof {
  const note = readCheckpointFile(directory);
  const checkpoint = (note === undefined ? undefined : parseCheckpoint(note))?.size ?? null;
  return {
    hashFits: sha256(hashedText(line, record)) === record.hash,
    ...signatureOf(directory, record),
    checkpoint,
    covered: checkpoint !== null && record.seq <= checkpoint,
  };
}

/** By the key that signs at that place of the log, which some trusted key has to have a part in: one that only stands in the log is nobody's. */
function signatureOf(directory: string, record: AuditRecord): Pick<Proof, 'signature' | 'signer'> {
  if (record.sig === undefined) return { signature: 'none', signer: null };
  const trust = trusted(directory);
  if (!trust) return { signature: 'unknown', signer: null };
  const keys = keysInForce(directory);
  const signing = keys.findLast(({ from }) => from <= record.seq);
  if (!signing || !isSignedBy(signing.key, record)) return { signature: 'other', signer: null };
  const signer = fingerprint(Buffer.from(signing.key, 'base64'));
  const isTrusted = ({ key }: { key: string }) => trust.trusts(Buffer.from(key, 'base64'));
  if (isTrusted(signing)) return { signature: 'own', signer };
  return { signature: keys.some(isTrusted) ? 'cross-signed' : 'other', signer };
}

/** Nobody, where no key and no pin is to be had. */
function trusted(directory: string): NamedTrust | undefined {
  try {
    return trustOf({}, isOwnLog(directory));
  } catch (error) {
    if (error instanceof GatekeeperError) return undefined;
    throw error;
  }
}
