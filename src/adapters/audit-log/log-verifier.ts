import { ChainVerifier, type LineFindings, LONGEST_LINE } from '../../core/audit/chain-verifier.ts';
import { isPublicKey, keyAfter } from '../../core/audit/key-change.ts';
import type { CompactRange } from '../../core/audit/merkle.ts';
import { type AuditRecord, CHAIN_START, type ChainHead } from '../../core/audit/record.ts';
import { MOST_PROBLEMS, type Problem, type ProblemKind } from '../../core/audit/verify.ts';
import { verifyWith } from '../keys/public-key.ts';
import { joinHashes, restoreTree, segmentStart } from './segment-start.ts';
import { hashHex, treeHasher } from './tree-hasher.ts';

/** A key (base64) and the first entry that is signed by it. */
export type KeyUse = { key: string; from: number };

/** What is known behind a line, in a form that passes between threads. `tree`: as segments say it; undefined when the place of the line is not known. */
export type LogState = { head: ChainHead; tree: string | undefined; log: string | undefined; keys: KeyUse[] };

export type LogVerifierOptions = {
  /** What is known before the first file that is checked. Without it, its first entry says so. */
  from?: LogState | undefined;
  /** Stands in (base64) where the log does not say who signs. */
  trusted?: string | undefined;
  /** Sizes, ascending, of which the roots are wanted. */
  watched?: readonly number[];
  /** See ChainVerifier. */
  quick?: boolean;
};

/** Checks the entries of files, one file after the other: the chain, what files begin with, and the keys. Knows nothing of checkpoints. */
export class LogVerifier {
  readonly problems: Problem[] = [];
  /** Numbers of the first entries that tell of losses, and how many there are. */
  readonly losses: number[] = [];
  lossCount = 0;
  readonly roots = new Map<number, string>();
  /** What the last entry of that kind says. */
  pruned: { segment: number; last: number } | undefined;
  entries = 0;
  /** Number of the entry before the first one. */
  begin = 0;
  readonly #options: LogVerifierOptions;
  readonly #watched: readonly number[];
  #nextWatched = 0;
  #chain: ChainVerifier | undefined;
  #tree: CompactRange | undefined;
  #log: string | undefined;
  #keys: KeyUse[] = [];
  #verify: (text: string, signature: string) => boolean = () => false;
  #file = 0;
  #line = 0;

  constructor(options: LogVerifierOptions = {}) {
    this.#options = options;
    this.#watched = options.watched ?? [];
    const { from } = options;
    if (from === undefined) return;
    this.#begin(from.head, from.tree === undefined ? undefined : restoreTree(from.head.seq, from.tree));
    this.#log = from.log;
    this.#keys = [...from.keys];
    this.#useKey(from.keys.at(-1)?.key ?? options.trusted);
  }

  get state(): LogState {
    const tree = this.#tree === undefined ? undefined : joinHashes(this.#tree);
    return { head: this.#chain?.head ?? CHAIN_START, tree, log: this.#log, keys: this.#keys };
  }
  get signatures(): number {
    return this.#chain?.signatures ?? 0;
  }
  get isFull(): boolean {
    return this.problems.length >= MOST_PROBLEMS;
  }

  /** What the first line says of the log before it, which is where the verifier begins then. */
  stateBefore(firstLine: Uint8Array): LogState {
    if (this.#chain === undefined) this.#adopt(firstLine);
    return { ...this.state, keys: [...this.#keys] };
  }

  beginFile(file: number): void {
    this.#file = file;
    this.#line = 0;
  }

  /** One line of the file without its newline. @param isText whether it is valid UTF-8 */
  line(bytes: Uint8Array, isText: boolean): void {
    this.#line += 1;
    this.entries += 1;
    if (this.#chain === undefined) this.#adopt(bytes);
    const found = this.#chain!.line(bytes, isText);
    for (const kind of found.kinds) this.#problem(kind, found.seq);
    if (found.special !== undefined || this.#line === 1) this.#special(found, this.#line === 1);
    this.#grow(bytes, found);
  }

  /** Bytes behind the last newline of the file. */
  torn(): void {
    this.#line += 1;
    this.#problem('torn-tail', this.state.head.seq + 1);
  }

  #problem(kind: ProblemKind, seq: number, detail?: string): void {
    if (this.isFull) return;
    const place = { kind, seq, file: this.#file, line: this.#line };
    this.problems.push(detail === undefined ? place : { ...place, detail: detail.slice(0, LONGEST_DETAIL) });
  }

  /** Where the log begins is known from its first entry alone; what that says has to be signed by a key that is trusted. */
  #adopt(bytes: Uint8Array): void {
    const text = bytes.length > LONGEST_LINE ? '' : Buffer.from(bytes).toString();
    const start = segmentStart(text);
    const { seq, prev, key } = start === undefined ? {} : (JSON.parse(text) as Record<string, unknown>);
    const later = start !== undefined && this.#file !== 1 && typeof prev === 'string' && typeof seq === 'number';
    this.#begin(later ? { seq: seq - 1, hash: prev } : CHAIN_START, start?.tree ?? restoreTree(0, ''));
    this.#log = start?.log;
    const known = typeof key === 'string' && isPublicKey(key) ? key : undefined;
    if (known !== undefined) this.#keys = [{ key: known, from: this.#chain!.head.seq + 1 }];
    this.#useKey(known ?? this.#options.trusted);
  }

  #begin(head: ChainHead, tree: CompactRange | undefined): void {
    const crypto = { hash: hashHex, verify: (text: string, signature: string) => this.#verify(text, signature) };
    this.#chain = new ChainVerifier(crypto, head, this.#options.quick);
    this.#tree = tree;
    this.begin = head.seq;
    while (this.#watched[this.#nextWatched]! < head.seq) this.#nextWatched += 1;
    this.#noteRoot();
  }

  #useKey(key: string | undefined): void {
    if (key !== undefined) this.#verify = verifyWith(Buffer.from(key, 'base64'));
  }

  #special({ special: record, kinds }: LineFindings, isFirst: boolean): void {
    const { seq } = this.#chain!.head;
    const begins = record?.action === 'log_start' || record?.action === 'segment';
    if (isFirst && !begins) {
      if (kinds.length === 0) this.#problem('segment-start-bad', seq, 'the file begins with another entry');
    } else if (begins && !isFirst) this.#problem('segment-start-bad', seq, 'it stands in the middle of a file');
    else if (begins) this.#start(record!);
    if (record?.action === 'key_change' && kinds.length === 0) this.#changeKey(record);
    if (record?.action === 'pruned') this.#prune(record);
    if (record?.action === 'recovered' && !isHarmless(record)) {
      this.#problem('loss-recorded', seq, `${record.kind ?? ''}: ${record.text ?? ''}`);
    }
    if (record !== undefined && LOSSES.has(record.action)) {
      this.lossCount += 1;
      if (this.losses.length < MOST_LOSSES) this.losses.push(seq);
    }
  }

  /** What a file begins with has to say what is known already, if anything is. */
  #start(record: AuditRecord): void {
    const wrong: string[] = [];
    const isFirstFile = this.#file === 1;
    if ((record.action === 'log_start') !== isFirstFile) wrong.push('action');
    if (!LOG_ID.test(record.log ?? '') || record.log !== this.#log) wrong.push('log');
    if (record.key === undefined || record.key !== this.#keys.at(-1)?.key) wrong.push('key');
    if (!isFirstFile && record.segment !== this.#file) wrong.push('segment');
    if (!isFirstFile && this.#tree !== undefined && record.tree !== joinHashes(this.#tree)) wrong.push('tree');
    if (wrong.length > 0) this.#problem('segment-start-bad', record.seq, `not as it was: ${wrong.join(', ')}`);
  }

  #changeKey(record: AuditRecord): void {
    const verify = (key: string, text: string, signature: string) =>
      verifyWith(Buffer.from(key, 'base64'))(text, signature);
    const current = { log: this.#log ?? '', key: this.#keys.at(-1)?.key ?? '' };
    const key = keyAfter(record, current, verify);
    if (key === undefined) this.#problem('key-change-bad', record.seq);
    else {
      this.#keys.push({ key, from: record.seq + 1 });
      this.#useKey(key);
    }
  }

  #prune({ segment, last }: AuditRecord): void {
    if (typeof segment === 'number' && typeof last === 'number') this.pruned = { segment, last };
  }

  #grow(bytes: Uint8Array, { kinds }: LineFindings): void {
    if (this.#tree === undefined) return;
    const lost = kinds.includes('sequence-gap') || kinds.includes('sequence-repeat') || bytes.length > LONGEST_LINE;
    if (lost) this.#tree = undefined;
    else {
      this.#tree.add(treeHasher.leaf(bytes));
      if (this.#tree.end === this.#watched[this.#nextWatched]) this.#noteRoot();
    }
  }

  #noteRoot(): void {
    const size = this.#watched[this.#nextWatched];
    if (size === undefined || this.#tree?.end !== size) return;
    this.roots.set(size, Buffer.from(this.#tree.root()).toString('base64'));
    while (this.#watched[this.#nextWatched] === size) this.#nextWatched += 1;
  }
}

/** A crash leaves these: an unfinished line, or a log that was never closed nor signed for. Anything else means that entries were taken away. */
function isHarmless({ kind, seq }: AuditRecord): boolean {
  return kind === 'torn-tail' || (kind === 'checkpoint-missing' && seq <= BEFORE_FIRST_CHECKPOINT);
}

const LOSSES: ReadonlySet<string> = new Set(['gap', 'damage', 'recovered']);
const MOST_LOSSES = 1000;
const LONGEST_DETAIL = 300;
/** A daemon signs its first checkpoint behind its first few entries. */
const BEFORE_FIRST_CHECKPOINT = 8;
const LOG_ID = /^[0-9a-f]{32}$/;
