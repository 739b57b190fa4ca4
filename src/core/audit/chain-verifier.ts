import { parseCanonical } from './canonical.ts';
import { hashedText, isSignature, recordStatement } from './chain.ts';
import { type AuditRecord, CHAIN_START, type ChainHead, needsSignature } from './record.ts';
import { RecordScan, SPECIAL } from './record-scan.ts';
import { Scratch } from './scratch.ts';
import type { ProblemKind } from './verify.ts';

export type ChainCrypto = {
  /** SHA-256 in hex. */
  hash: (bytes: Uint8Array) => string;
  /** Ed25519 over a text's UTF-8 bytes, by the key that signs at this place. */
  verify: (statement: string, signature: string) => boolean;
};

/** What one line came to. */
export type LineFindings = {
  kinds: readonly ProblemKind[];
  /** The line's own number, or the one that it should have. */
  seq: number;
  /** The record of an entry that says something about the log itself. */
  special?: AuditRecord;
};

/**
 * Checks line by line whether each is a canonical entry that belongs behind the one before it. After a problem it goes on from what the line says, so that one
 * change is told once. Nearly all entries are sound and ordinary: those are found so without making texts of them; any other one is judged
 * member by member.
 */
export class ChainVerifier {
  readonly #crypto: ChainCrypto;
  readonly #scan = new RecordScan();
  readonly #quick: boolean;
  #head: ChainHead;
  #signatures = 0;
  readonly #bare = new Scratch();

  /** @param quick whether there is a short way for ordinary entries; without it every one is judged in full */
  constructor(crypto: ChainCrypto, head = CHAIN_START, quick = true) {
    this.#crypto = crypto;
    this.#head = head;
    this.#quick = quick;
  }

  get head(): ChainHead {
    return this.#head;
  }
  get signatures(): number {
    return this.#signatures;
  }

  /** One line without its newline. @param isText whether it is valid UTF-8 */
  line(bytes: Uint8Array, isText = true): LineFindings {
    if (!isText || bytes.length > LONGEST_LINE) return this.#lost('unparsable');
    if (this.#quick && this.#scan.scan(bytes, bytes.length) && this.#isSound(bytes)) return SOUND;
    return this.#judge(UTF8.decode(bytes));
  }

  /** A line that gives no place in the chain: the next one is checked for its number, and for its own hash. */
  #lost(kind: ProblemKind): LineFindings {
    this.#head = { seq: this.#head.seq + 1, hash: UNKNOWN_HASH };
    return { kinds: [kind], seq: this.#head.seq };
  }

  /** Whether the record that was scanned is the next one, whole and signed where it must be. Nothing has happened when it is not. */
  #isSound(bytes: Uint8Array): boolean {
    const { seq, prevAt, hashAt, sigFrom, sigEnd, mayBeUnsigned } = this.#scan;
    if (seq !== this.#head.seq + 1 || !stands(this.#head.hash, bytes, prevAt)) return false;
    if (sigEnd === 0 && !mayBeUnsigned) return false;
    const hash = this.#crypto.hash(this.#hashed(bytes));
    if (!stands(hash, bytes, hashAt)) return false;
    if (sigEnd !== 0) {
      const signature = UTF8.decode(bytes.subarray(sigFrom + '"sig":"'.length, sigEnd - '",'.length));
      if (!isSignature(signature) || !this.#crypto.verify(recordStatement(hash), signature)) return false;
      this.#signatures += 1;
    }
    this.#head = { seq, hash };
    return true;
  }

  /** The line's bytes without its hash and signature. */
  #hashed(bytes: Uint8Array): Uint8Array {
    const { hashFrom, hashEnd, sigFrom, sigEnd } = this.#scan;
    const bare = this.#bare.room(bytes.length);
    let length = bytes.length;
    bare.set(bytes);
    if (sigEnd !== 0) {
      bare.copyWithin(sigFrom, sigEnd, length);
      length -= sigEnd - sigFrom;
    }
    bare.copyWithin(hashFrom, hashEnd, length);
    return this.#bare.first(length - (hashEnd - hashFrom));
  }

  #judge(text: string): LineFindings {
    const record = parseCanonical(text);
    if (record === 'other-form') return this.#lost('other-form');
    if (record === undefined || !isRecord(record)) return this.#lost('unparsable');
    const kinds = this.#check(text, record);
    const { seq, hash } = record;
    this.#head = { seq, hash };
    return isSpecial(record) ? { kinds, seq, special: record } : { kinds, seq };
  }

  #check(text: string, record: AuditRecord): ProblemKind[] {
    const kinds: ProblemKind[] = [];
    const { seq, hash } = this.#head;
    if (record.seq > seq + 1) kinds.push('sequence-gap');
    else if (record.seq < seq + 1) kinds.push('sequence-repeat');
    if (record.prev !== hash && hash !== UNKNOWN_HASH) kinds.push('broken-link');
    if (this.#crypto.hash(ENCODER.encode(hashedText(text, record))) !== record.hash) kinds.push('wrong-hash');
    if (record.sig !== undefined) {
      this.#signatures += 1;
      const good = isSignature(record.sig) && this.#crypto.verify(recordStatement(record.hash), record.sig);
      if (!good) kinds.push('signature-bad');
    } else if (needsSignature(record)) kinds.push('signature-missing');
    return kinds;
  }
}

function isRecord(value: Record<string, unknown>): value is AuditRecord & Record<string, unknown> {
  return (
    value['v'] === 1 &&
    typeof value['action'] === 'string' &&
    typeof value['time'] === 'string' &&
    typeof value['seq'] === 'number' &&
    isHash(value['hash']) &&
    isHash(value['prev']) &&
    (value['sig'] === undefined || typeof value['sig'] === 'string')
  );
}

const isSpecial = ({ action }: AuditRecord) => (SPECIAL as readonly string[]).includes(action);

/** Whether the hash's digits stand there. */
function stands(hash: string, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < hash.length; i++) if (hash.charCodeAt(i) !== bytes[at + i]) return false;
  return hash.length === CHAIN_START.hash.length;
}

/** Its digits are judged by what it must be equal to. */
const isHash = (value: unknown) => typeof value === 'string' && value.length === CHAIN_START.hash.length;
const UNKNOWN_HASH = 'unknown';
const SOUND: LineFindings = { kinds: [], seq: 0 };
/** Several times what the longest command and path come to when every byte of them has to be escaped. */
export const LONGEST_LINE = 1024 * 1024;
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });
const ENCODER = new TextEncoder();
