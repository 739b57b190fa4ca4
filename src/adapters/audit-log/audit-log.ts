import { fstatSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { sealRecord } from '../../core/audit/chain.ts';
import { sealHead } from '../../core/audit/head.ts';
import { type AuditFields, type ChainHead, needsSignature } from '../../core/audit/record.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { recoverLog } from './recovery.ts';
import { headPath, segmentPath } from './segments.ts';
import { sha256 } from './verify-log.ts';

export type AuditLogOptions = {
  directory: string;
  signer: { sign: (text: string) => string; whileOpen: <T>(work: () => T) => T };
  verify: (statement: string, signature: string) => boolean;
  /** RFC 3339, UTC. */
  now: () => string;
  writeAtomic: (path: string, content: string) => void;
  segmentBytes?: number;
};

type Waiting = { records: readonly AuditFields[]; done: (head: ChainHead) => void; failed: (error: unknown) => void };

/**
 * The one writer of the log. Its caller holds the lock of the directory. What is appended in one turn of the event loop is
 * sealed and written together. An append resolves when its lines are in the kernel's hands, in order, and rejects when
 * they are not in the log at all: a failed write is undone before anything else is tried.
 */
export class AuditLog {
  readonly #options: Required<AuditLogOptions>;
  #head: ChainHead;
  #segment: number;
  #size: number;
  #file: FileHandle | undefined;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;
  #undo = false;
  #heldUpUntil = 0;
  #headTimer: NodeJS.Timeout | undefined;
  #heads: Promise<unknown> = Promise.resolve();
  /** What the last head tells of. */
  #signed: ChainHead | undefined;
  #closed = false;

  private constructor(options: AuditLogOptions, at: { head: ChainHead; segment: number; size: number }) {
    this.#options = { segmentBytes: SEGMENT_BYTES, ...options };
    this.#head = at.head;
    this.#segment = at.segment;
    this.#size = at.size;
  }

  /** Opens the log, mends what a crash left, and records that it did. */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const recovered = recoverLog(options.directory, { now: options.now(), verify: options.verify });
    const log = new AuditLog(options, recovered);
    for (const finding of recovered.findings) {
      await log.append([{ action: 'recovered', time: options.now(), ...finding }]);
    }
    return log;
  }

  get head(): ChainHead {
    return this.#head;
  }

  /** Why the last write failed; undefined while the log works. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  append(records: readonly AuditFields[]): Promise<ChainHead> {
    if (this.#closed) return Promise.reject(new Error('the audit log is closed'));
    return new Promise((done, failed) => {
      this.#waiting.push({ records, done, failed });
      this.#writing ??= this.#writeWaiting();
    });
  }

  /** Signs where the log stands now rather than when it is due. Never rejects: a head that cannot be written comes with a later try. */
  async writeHead(): Promise<void> {
    try {
      await this.#writeHead();
    } catch (error) {
      // The entries are safe; only the statement about them is late.
      this.#failure ??= this.#writeError(error);
    }
    clearTimeout(this.#headTimer);
    this.#headTimer = undefined;
    if (this.#signed !== this.#head && !this.#closed) this.#headLater();
  }

  /** Writes what is waiting and the signed head. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#writing !== undefined) await this.#writing;
    clearTimeout(this.#headTimer);
    if (this.#file !== undefined && this.#failure === undefined) await this.#writeHead();
    await this.#file?.close();
    this.#file = undefined;
  }

  async #writeWaiting(): Promise<void> {
    await new Promise(setImmediate); // let the rest of this turn join the batch
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      try {
        await this.#writeBatch(batch.flatMap(({ records }) => records));
        this.#failure = undefined;
        for (const { done } of batch) done(this.#head);
      } catch (error) {
        this.#failure = this.#writeError(error);
        for (const { failed } of batch) failed(this.#failure);
      }
    }
    this.#writing = undefined;
  }

  async #writeBatch(records: readonly AuditFields[]): Promise<void> {
    const { signer } = this.#options;
    let head = this.#head;
    const seal = () => {
      let lines = '';
      for (const record of records) {
        const sealed = sealRecord(record, head, { hash: sha256, sign: signer.sign });
        head = sealed.head;
        lines += `${sealed.line}\n`;
      }
      return lines;
    };
    // Opening the key's memory costs as much as ten receipts without a signature.
    const text = records.some(needsSignature) ? signer.whileOpen(seal) : seal();
    const file = await this.#openFile();
    const bytes = Buffer.from(text);
    this.#undo = true;
    await this.#write(file, bytes);
    this.#undo = false;
    this.#size += bytes.length;
    this.#head = head;
    this.#headLater();
  }

  /**
   * Small batches at once, since a thread would cost several times what the copy into the kernel's memory does. When the disk is so far behind that the
   * kernel holds a writer up, threads wait for it for a while: what else this process does goes on.
   */
  async #write(file: FileHandle, bytes: Buffer): Promise<void> {
    const began = performance.now();
    const atOnce = bytes.length <= AT_ONCE_BYTES && began >= this.#heldUpUntil;
    for (let at = 0; at < bytes.length; ) {
      const left = bytes.length - at;
      at += atOnce
        ? writeSync(file.fd, bytes, at, left, this.#size + at)
        : (await file.write(bytes, at, left, this.#size + at)).bytesWritten;
    }
    const ended = performance.now();
    if (atOnce && ended - began > HELD_UP_MS) this.#heldUpUntil = ended + PATIENT_MS;
  }

  /** The file to write to, ending exactly where this writer left it. */
  async #openFile(): Promise<FileHandle> {
    const { directory, segmentBytes } = this.#options;
    if (this.#size >= segmentBytes && !this.#undo) {
      await this.#writeHead();
      const full = this.#file;
      this.#file = undefined;
      await full?.close();
      this.#segment += 1;
      this.#size = 0;
    }
    this.#file ??= await open(segmentPath(directory, this.#segment), 'a+', 0o600);
    if (this.#undo) await this.#file.truncate(this.#size);
    // Nothing that waits for the disk: a thread would cost more than the answer.
    const { size, nlink } = fstatSync(this.#file.fd);
    if (size !== this.#size || nlink === 0) {
      throw new Error(`${this.#segment}.jsonl was changed by someone else: ${size} bytes, not ${this.#size}`);
    }
    this.#undo = false;
    return this.#file;
  }

  #headLater(): void {
    this.#headTimer ??= setTimeout(() => void this.writeHead(), HEAD_MS).unref();
  }

  #writeError(cause: unknown): Error {
    const why = cause instanceof Error ? cause.message : String(cause);
    const what = `the audit log cannot be written: ${why}`;
    return new GatekeeperError('GK_AUDIT_WRITE', { what, where: this.#options.directory, cause });
  }

  /** One at a time: an older head must not take the place of a newer one. */
  #writeHead(): Promise<void> {
    const mine = this.#heads.then(() => this.#writeHeadNow());
    this.#heads = mine.catch(() => undefined);
    return mine;
  }

  /** What the head tells of must be on the disk first, or a power cut would look like a cut tail. */
  async #writeHeadNow(): Promise<void> {
    const { directory, signer, now, writeAtomic } = this.#options;
    const head = this.#head;
    if (head === this.#signed) return;
    await this.#file?.datasync();
    writeAtomic(headPath(directory), `${sealHead(head, now(), signer.sign)}\n`);
    this.#signed = head;
  }
}

const SEGMENT_BYTES = 64 * 1024 * 1024;
const MAX_BATCH = 4096;
const AT_ONCE_BYTES = 64 * 1024;
const HELD_UP_MS = 5;
const PATIENT_MS = 1000;
/** How far the signed head may be behind the log. */
const HEAD_MS = 500;
