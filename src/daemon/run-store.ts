import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFileAtomic } from '../adapters/process/atomic-file.ts';
import type { RunRecord } from './run-record.ts';

/** The runs' directories (0700): `run.json`, the token that HELLO must carry, and the journal that the supervisor writes. */
export class RunStore {
  readonly #root: string;
  readonly #saved = new Map<string, string>();

  constructor(root: string) {
    this.#root = root;
  }

  directory(id: string): string {
    return `${this.#root}/${id}`;
  }

  create(record: RunRecord): void {
    mkdirSync(this.directory(record.id), { mode: 0o700 });
    writeFileAtomic(this.#token(record.id), randomBytes(32).toString('base64url'));
    this.save(record);
  }

  save(record: RunRecord): void {
    const text = JSON.stringify(record);
    if (this.#saved.get(record.id) === text) return;
    writeFileAtomic(`${this.directory(record.id)}/run.json`, text);
    this.#saved.set(record.id, text);
  }

  /** Compared by digest: neither content nor length shows in the time it takes. A run without a token has no supervisor. */
  tokenFits(id: string, token: Uint8Array): boolean {
    const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
    try {
      const stored = Buffer.from(readFileSync(this.#token(id), 'latin1').trim(), 'latin1');
      return stored.length > 0 && timingSafeEqual(digest(stored), digest(token));
    } catch {
      return false;
    }
  }

  /** Runs of an earlier daemon. A directory without a whole record belongs to a run that was never answered for. */
  load(): RunRecord[] {
    const records: RunRecord[] = [];
    for (const id of readdirSync(this.#root)) {
      const record = this.#read(id);
      if (record === undefined) rmSync(this.directory(id), { recursive: true, force: true });
      else records.push(record);
    }
    return records.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Everything of the run is in the chain. */
  remove(id: string): void {
    this.#saved.delete(id);
    rmSync(this.directory(id), { recursive: true, force: true });
  }

  #read(id: string): RunRecord | undefined {
    try {
      const record = JSON.parse(readFileSync(`${this.directory(id)}/run.json`, 'utf8')) as RunRecord;
      return record.v === 1 && record.id === id ? record : undefined;
    } catch {
      return undefined;
    }
  }

  #token(id: string): string {
    return `${this.directory(id)}/token`;
  }
}
