import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { joinHashes } from '../../src/adapters/audit-log/segment-start.ts';
import { treeHasher } from '../../src/adapters/audit-log/tree-hasher.ts';
import { sealRecord } from '../../src/core/audit/chain.ts';
import { type Checkpoint, originOf, sealCheckpoint } from '../../src/core/audit/checkpoint.ts';
import { CompactRange } from '../../src/core/audit/merkle.ts';
import type { AuditFields, AuditRecord } from '../../src/core/audit/record.ts';

export type Sign = (text: string) => string;
export type Signer = { publicKey: Uint8Array; keyId: (name: string) => string; sign: Sign };
/** Where an entry stands. */
type Place = { file: number; at: number };

/**
 * The bytes of a log, to be changed by a test in every way that somebody could who has them. Texts here have a character for each byte, so that bytes which are no
 * UTF-8 can stand in them.
 */
export class LogCopy {
  readonly files = new Map<number, string>();
  checkpoint: string | undefined;
  /** Notes that somebody else holds. */
  anchor: string[];
  /** Fingerprint of the key that is trusted. */
  pin: string;

  constructor({ anchor, pin }: { anchor: readonly string[]; pin: string }) {
    this.anchor = [...anchor];
    this.pin = pin;
  }

  read(directory: string): this {
    for (const name of readdirSync(directory).sort()) {
      const content = readFileSync(`${directory}/${name}`, 'latin1');
      if (/^\d+\.jsonl$/.test(name)) this.files.set(Number.parseInt(name, 10), content);
      if (name === 'checkpoint') this.checkpoint = readFileSync(`${directory}/${name}`, 'utf8');
    }
    return this;
  }

  clone(): LogCopy {
    const clone = new LogCopy(this);
    for (const [file, content] of this.files) clone.files.set(file, content);
    clone.checkpoint = this.checkpoint;
    return clone;
  }

  save(directory: string): void {
    mkdirSync(directory);
    for (const [number, content] of this.files) writeFileSync(fileOf(directory, number), content, 'latin1');
    if (this.checkpoint !== undefined) writeFileSync(`${directory}/checkpoint`, this.checkpoint);
  }

  lines(file: number): string[] {
    return this.files.get(file)!.split('\n').slice(0, -1);
  }
  setLines(file: number, lines: readonly string[]): void {
    this.files.set(file, lines.map((line) => `${line}\n`).join(''));
  }
  all(): string[] {
    return [...this.files.keys()].flatMap((file) => this.lines(file));
  }
  records(): AuditRecord[] {
    return this.all().map(recordOf);
  }

  /** Number of the nth entry for which something holds; counted from the end when `nth` is negative. */
  seqOf(holds: (record: AuditRecord) => unknown, nth = 0): number {
    const found = this.records().filter(holds).at(nth);
    if (found === undefined) throw new Error('the log has no such entry');
    return found.seq;
  }
  get last(): number {
    return this.seqOf(() => true, -1);
  }
  get lastFile(): number {
    return Math.max(...this.files.keys());
  }
  /** Number of a file's first entry. */
  begins(file: number): number {
    return recordOf(this.lines(file)[0]!).seq;
  }

  line(seq: number): string {
    const { file, at } = this.#place(seq);
    return this.lines(file)[at]!;
  }
  /** Puts lines in the place of one: none removes it. Returns the number of the entry. */
  replace(seq: number, ...lines: string[]): number {
    const { file, at } = this.#place(seq);
    this.setLines(file, this.lines(file).toSpliced(at, 1, ...lines));
    return seq;
  }
  edit(seq: number, change: (line: string) => string): number {
    const before = this.line(seq);
    const after = change(before);
    if (after === before) throw new Error(`nothing was changed in ${before}`);
    return this.replace(seq, after);
  }

  /**
   * From an entry on, as somebody would who has read how records are made: places, hashes and trees are computed anew, then `change` sees the members of each, and
   * `sign` makes the signature where one is due; without it the old ones stay.
   */
  rewrite(from: number, change: (fields: AuditFields, seq: number) => AuditFields | AuditFields[], sign?: Sign): void {
    let head = { seq: 0, hash: '0'.repeat(64) };
    const tree = new CompactRange(treeHasher);
    for (const file of this.files.keys()) {
      const lines = this.lines(file).flatMap((line) => {
        const { v, seq, prev, hash, sig, ...fields } = recordOf(line);
        if (seq < from) {
          head = { seq, hash };
          tree.add(treeHasher.leaf(Buffer.from(line, 'latin1')));
          return [line];
        }
        if (fields.action === 'segment') fields.tree = joinHashes(tree);
        return [change(fields, seq)].flat().map((changed) => {
          const sealed = sealRecord(changed, head, { hash: sha256, sign: sign ?? (() => sig ?? 'none') });
          head = sealed.head;
          const bytes = Buffer.from(sealed.line);
          tree.add(treeHasher.leaf(bytes));
          return bytes.toString('latin1');
        });
      });
      this.setLines(file, lines);
    }
  }

  /** A checkpoint of all entries that are there, but for what is given. */
  sealed({ keyId, sign }: Signer, but: Partial<Checkpoint> = {}): string {
    const tree = new CompactRange(treeHasher);
    for (const line of this.all()) tree.add(treeHasher.leaf(Buffer.from(line, 'latin1')));
    const root = Buffer.from(tree.root()).toString('base64');
    const checkpoint = { origin: originOf(recordOf(this.line(1)).log!), size: tree.end, root, ...but };
    return sealCheckpoint(checkpoint, keyId(checkpoint.origin), sign);
  }

  #place(seq: number): Place {
    for (const file of this.files.keys()) {
      const at = this.lines(file).findIndex((line) => recordOf(line).seq === seq);
      if (at >= 0) return { file, at };
    }
    throw new Error(`the log has no entry ${seq}`);
  }
}

export const recordOf = (line: string): AuditRecord => JSON.parse(Buffer.from(line, 'latin1').toString());
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const fileOf = (directory: string, number: number) => `${directory}/${String(number).padStart(6, '0')}.jsonl`;
