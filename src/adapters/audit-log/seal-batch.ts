import { hash } from 'node:crypto';
import { type PlacedRecord, placedLine, placeRecord } from '../../core/audit/chain.ts';
import { keyChangeEntry } from '../../core/audit/key-change.ts';
import type { CompactRange } from '../../core/audit/merkle.ts';
import type { AuditFields, ChainHead } from '../../core/audit/record.ts';
import { sha256 } from './tree-hasher.ts';

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
  const placed = records.map((record) => {
    const whole = record.action === 'key_change' ? changeTo(next, log, record, head) : record;
    const one = placeRecord(whole, head, hashText);
    head = one.head;
    return one;
  });
  const { bytes, tree } = writeLines(placed, signAll(placed, signer), before);
  return { bytes, place: { log, head, tree, bytes: held + bytes.length } };
}

/** Each line's leaf is hashed where the line stands, with a zero for the newline before it meanwhile. */
function writeLines(
  placed: readonly PlacedRecord[],
  signatures: readonly (string | undefined)[],
  before: CompactRange,
) {
  const tree = before.copy();
  const lines = placed.map((one, at) => placedLine(one, signatures[at]));
  const most = lines.reduce((sum, { length }) => sum + MOST_BYTES * length + 1, 1);
  const buffer = Buffer.allocUnsafeSlow(most);
  let end = 1;
  for (const line of lines) {
    const from = end - 1;
    end += buffer.write(line, end);
    buffer[from] = 0;
    tree.add(sha256(buffer.subarray(from, end)));
    buffer[from] = NEWLINE;
    buffer[end++] = NEWLINE;
  }
  return { bytes: buffer.subarray(1, end), tree };
}

/**
 * One signature after the other: with other work in between each takes longer, since the curve's tables fall out of the processor's cache. To open the key's
 * memory costs as much as ten receipts without a signature.
 */
function signAll(placed: readonly PlacedRecord[], signer: LogSigner): (string | undefined)[] {
  if (placed.every(({ statement }) => statement === undefined)) return [];
  return signer.whileOpen(() => placed.map(({ statement }) => statement && signer.sign(statement)));
}

/** The keys of a change are known when it is asked for, its place in the log only now. */
function changeTo(next: LogSigner, log: string, { time, key, keyBefore }: AuditFields, head: ChainHead): AuditFields {
  return keyChangeEntry({ log, key: key!, keyBefore: keyBefore!, prev: head.hash }, time, next.sign);
}

/** SHA-256 of a text's UTF-8 bytes in hex. */
export const hashText = (text: string) => hash('sha256', text, 'hex');

/** Of a text's UTF-8, for each of its UTF-16 units. */
const MOST_BYTES = 3;
const NEWLINE = 0x0a;
