import { parseCanonical } from './canonical.ts';
import { type HashText, hashedText, isSignature, recordStatement } from './chain.ts';
import { type AuditRecord, CHAIN_START, type ChainHead, needsSignature } from './record.ts';

export const PROBLEMS = {
  unparsable: 'the line is not a record',
  'other-form': 'the bytes are not in canonical form',
  'wrong-hash': 'the entry was changed: its hash does not fit',
  'broken-link': 'the entry does not follow the one before it: an entry was removed, inserted or changed',
  'sequence-gap': 'entries are missing before this one',
  'sequence-repeat': 'the number was used before',
  'signature-missing': 'the signature that such an entry must carry is missing',
  'signature-bad': 'the signature is not that of the key',
  'torn-tail': 'the last line is incomplete',
  'tail-cut': 'entries at the end are missing: the signed checkpoint tells of more',
  'checkpoint-differs': 'the entries are not those that the signed checkpoint tells of',
  'checkpoint-missing': 'the signed checkpoint is missing or not signed by the key',
  'segment-missing': 'a file of the log is missing',
} as const;
export type ProblemKind = keyof typeof PROBLEMS;

/** `seq`: of the entry, or the one that should stand there. */
export type Problem = { kind: ProblemKind; line: number; seq: number; detail?: string };

export type VerifyCrypto = { hash: HashText; verify: (statement: string, signature: string) => boolean };

/** Checks a chain line by line. After a problem it goes on from what the line says, so that one change is told once. */
export class ChainVerifier {
  readonly #crypto: VerifyCrypto;
  #head: ChainHead = CHAIN_START;
  #line = 0;
  #signatures = 0;

  constructor(crypto: VerifyCrypto) {
    this.#crypto = crypto;
  }

  get head(): ChainHead {
    return this.#head;
  }
  get entries(): number {
    return this.#line;
  }
  get signatures(): number {
    return this.#signatures;
  }

  /** One line without its newline. */
  line(text: string): Problem[] {
    this.#line += 1;
    const record = parseCanonical(text);
    if (record === undefined || (record !== 'other-form' && !isRecord(record))) return [this.#lost('unparsable')];
    if (record === 'other-form') return [this.#lost('other-form')];
    const problems = this.#check(text, record);
    this.#head = { seq: record.seq, hash: record.hash };
    return problems;
  }

  #check(text: string, record: AuditRecord): Problem[] {
    const kinds: ProblemKind[] = [];
    const { seq, hash } = this.#head;
    if (record.seq > seq + 1) kinds.push('sequence-gap');
    else if (record.seq < seq + 1) kinds.push('sequence-repeat');
    if (record.prev !== hash && hash !== UNKNOWN_HASH) kinds.push('broken-link');
    const changed = this.#crypto.hash(hashedText(text, record)) !== record.hash;
    if (changed) kinds.push('wrong-hash');
    if (record.sig !== undefined) {
      this.#signatures += 1;
      const good = isSignature(record.sig) && this.#crypto.verify(recordStatement(record.hash), record.sig);
      if (!good) kinds.push('signature-bad');
    } else if (needsSignature(record)) kinds.push('signature-missing');
    return kinds.map((kind) => ({ kind, line: this.#line, seq: record.seq }));
  }

  /** A line that gives no place in the chain: the next one is checked for its number, and for its own hash. */
  #lost(kind: ProblemKind): Problem {
    this.#head = { seq: this.#head.seq + 1, hash: UNKNOWN_HASH };
    return { kind, line: this.#line, seq: this.#head.seq };
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

/** Its digits are judged by what it must be equal to. */
const isHash = (value: unknown) => typeof value === 'string' && value.length === CHAIN_START.hash.length;
const UNKNOWN_HASH = 'unknown';
