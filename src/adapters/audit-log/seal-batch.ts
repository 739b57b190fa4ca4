import { hash } from 'node:crypto';
import { sealRecord } from '../../core/audit/chain.ts';
import { keyChangeEntry } from '../../core/audit/key-change.ts';
import type { CompactRange } from '../../core/audit/merkle.ts';
import { type AuditFields, type ChainHead, needsSignature } from '../../core/audit/record.ts';

/** Where a log stands. Never changed: what is written makes another one. */
export type LogPlace = {
  /** Identifies the log. */
  readonly log: string;
  readonly head: ChainHead;
  /** Over all entries. */
  readonly tree: CompactRange;
  /** What its last file holds. */
  readonly bytes: number;
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

/** The lines to write behind a place, and the place behind them. @param next the key that signs from a change on, which stands by all before it */
export function sealBatch(
  { log, head: from, tree: before, bytes: held }: LogPlace,
  records: readonly AuditFields[],
  signer: LogSigner,
  next = signer,
): { bytes: Buffer; place: LogPlace } {
  let head = from;
  const tree = before.copy();
  let lines = '';
  const seal = () => {
    for (const record of records) {
      const whole = record.action === 'key_change' ? changeTo(next, log, record, head) : record;
      const sealed = sealRecord(whole, head, { hash: hashText, sign: signer.sign });
      head = sealed.head;
      tree.add(leafOfText(sealed.line));
      lines += `${sealed.line}\n`;
    }
  };
  // Opening the key's memory costs as much as ten receipts without a signature.
  if (records.some(needsSignature)) signer.whileOpen(seal);
  else seal();
  const bytes = Buffer.from(lines);
  return { bytes, place: { log, head, tree, bytes: held + bytes.length } };
}

/** The keys of a change are known when it is asked for, its place in the log only now. */
function changeTo(next: LogSigner, log: string, { time, key, keyBefore }: AuditFields, head: ChainHead): AuditFields {
  return keyChangeEntry({ log, key: key!, keyBefore: keyBefore!, prev: head.hash }, time, next.sign);
}

/** As the hasher's of the line's bytes: Node encodes and hashes a text for less than it makes a buffer of it. */
const leafOfText = (line: string) => Buffer.from(hash('sha256', `\0${line}`, 'binary'), 'latin1');

/** SHA-256 of a text's UTF-8 bytes in hex. */
export const hashText = (text: string) => hash('sha256', text, 'hex');
