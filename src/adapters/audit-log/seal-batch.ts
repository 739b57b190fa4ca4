import { sealRecord } from '../../core/audit/chain.ts';
import type { CompactRange } from '../../core/audit/merkle.ts';
import { type AuditFields, type ChainHead, needsSignature } from '../../core/audit/record.ts';
import { treeHasher } from './tree-hasher.ts';
import { sha256 } from './verify-log.ts';

/** Where a log stands. Never changed: what is written makes another one. */
export type LogPlace = {
  /** Identifies the log. */
  readonly log: string;
  readonly head: ChainHead;
  /** Over all entries. */
  readonly tree: CompactRange;
};

export type LogSigner = {
  publicKey: Uint8Array;
  /** How signed notes call it, under a name. */
  keyId: (name: string) => string;
  /** Ed25519 over the text's UTF-8 bytes, base64. */
  sign: (text: string) => string;
  /** Runs a batch of signatures with the key's memory opened once. */
  whileOpen: <T>(work: () => T) => T;
};

/** The lines to write behind a place, and the place behind them. */
export function sealBatch(
  { log, head: from, tree: before }: LogPlace,
  records: readonly AuditFields[],
  signer: LogSigner,
): { bytes: Buffer; place: LogPlace } {
  let head = from;
  const tree = before.copy();
  const lines: Buffer[] = [];
  const seal = () => {
    for (const record of records) {
      const sealed = sealRecord(record, head, { hash: sha256, sign: signer.sign });
      head = sealed.head;
      const line = Buffer.from(`${sealed.line}\n`);
      tree.add(treeHasher.leaf(line.subarray(0, -1)));
      lines.push(line);
    }
  };
  // Opening the key's memory costs as much as ten receipts without a signature.
  if (records.some(needsSignature)) signer.whileOpen(seal);
  else seal();
  return { bytes: Buffer.concat(lines), place: { log, head, tree } };
}
