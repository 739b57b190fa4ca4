import { randomBytes } from 'node:crypto';
import { fstatSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { sealRecord } from '../../core/audit/chain.ts';
import { originOf, sealCheckpoint } from '../../core/audit/checkpoint.ts';
import { CompactRange } from '../../core/audit/merkle.ts';
import { type AuditFields, type ChainHead, needsSignature } from '../../core/audit/record.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { type RecoveredLog, recoverLog } from './recovery.ts';
import { startEntry } from './segment-start.ts';
import { checkpointPath, segmentPath } from './segments.ts';
import { treeHasher } from './tree-hasher.ts';
import { sha256 } from './verify-log.ts';

export type AuditLogOptions = {
  directory: string;
  signer: {
    publicKey: Uint8Array;
    /** How signed notes call it, under a name. */
    keyId: (name: string) => string;
    sign: (text: string) => string;
    whileOpen: <T>(work: () => T) => T;
  };
  verify: (statement: string, signature: string) => boolean;
  /** RFC 3339, UTC. */
  now: () => string;
  writeAtomic: (path: string, content: string) => void;
  /** A file that has grown to this, or is as old, is followed by another one. */
  segmentBytes?: number;
  segmentAgeMs?: number;
  /** Hears of each checkpoint when it is on the disk. */
  checkpointed?: (note: string) => void;
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
  /** Over all entries that are written. */
  #tree: CompactRange;
  #log: string;
  #segmentBegan: number;
  #segment: number;
  #size: number;
  #file: FileHandle | undefined;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;
  #undo = false;
  #heldUpUntil = 0;
  #checkpointTimer: NodeJS.Timeout | undefined;
  #checkpoints: Promise<unknown> = Promise.resolve();
  /** What the last checkpoint tells of. */
  #signed: ChainHead | undefined;
  #closed = false;

  private constructor(options: AuditLogOptions, at: RecoveredLog) {
    this.#options = { segmentBytes: SEGMENT_BYTES, segmentAgeMs: SEGMENT_AGE_MS, checkpointed: () => {}, ...options };
    this.#head = at.head;
    this.#tree = at.start?.tree ?? new CompactRange(treeHasher);
    this.#log = at.start?.log ?? randomBytes(16).toString('hex');
    this.#segmentBegan = Date.parse(at.start?.time ?? options.now());
    this.#segment = at.segment;
    this.#size = at.size;
  }

  /** Opens the log, mends what a crash left, and records that it did. */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const { directory, signer, verify, now } = options;
    const recovered = recoverLog(directory, { now: now(), signer, verify });
    const log = new AuditLog(options, recovered);
    for (const finding of recovered.findings) {
      await log.append([{ action: 'recovered', time: now(), ...finding }]);
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

  /** Signs where the log stands now rather than when it is due. Never rejects: one that cannot be written comes with a later try. */
  async writeCheckpoint(): Promise<void> {
    try {
      await this.#writeCheckpoint();
    } catch (error) {
      // The entries are safe; only the statement about them is late.
      this.#failure ??= this.#writeError(error);
    }
    clearTimeout(this.#checkpointTimer);
    this.#checkpointTimer = undefined;
    if (this.#signed !== this.#head && !this.#closed) this.#checkpointLater();
  }

  /** Writes what is waiting and a checkpoint. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#writing !== undefined) await this.#writing;
    clearTimeout(this.#checkpointTimer);
    if (this.#file !== undefined && this.#failure === undefined) await this.#writeCheckpoint();
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
    if (this.#segmentIsOver()) await this.#nextSegment();
    const all = this.#size === 0 ? [this.#startEntry(), ...records] : records;
    let head = this.#head;
    const lines: Buffer[] = [];
    const tree = this.#tree.copy();
    const seal = () => {
      for (const record of all) {
        const sealed = sealRecord(record, head, { hash: sha256, sign: signer.sign });
        head = sealed.head;
        const line = Buffer.from(`${sealed.line}\n`);
        tree.add(treeHasher.leaf(line.subarray(0, -1)));
        lines.push(line);
      }
    };
    // Opening the key's memory costs as much as ten receipts without a signature.
    if (all.some(needsSignature)) signer.whileOpen(seal);
    else seal();
    const file = await this.#openFile();
    const bytes = Buffer.concat(lines);
    this.#undo = true;
    await this.#write(file, bytes);
    this.#undo = false;
    if (all !== records) this.#segmentBegan = Date.parse(all[0]!.time);
    this.#size += bytes.length;
    this.#head = head;
    this.#tree = tree;
    this.#checkpointLater();
  }

  #startEntry(): AuditFields {
    const { now, signer } = this.#options;
    const [log, segment, tree] = [this.#log, this.#segment, this.#tree];
    return startEntry({ time: now(), log, segment, tree, publicKey: signer.publicKey });
  }

  /** Never in the middle of undoing a write. */
  #segmentIsOver(): boolean {
    const { segmentBytes, segmentAgeMs, now } = this.#options;
    if (this.#undo || this.#size === 0) return false;
    return this.#size >= segmentBytes || Date.parse(now()) - this.#segmentBegan >= segmentAgeMs;
  }

  async #nextSegment(): Promise<void> {
    await this.#writeCheckpoint();
    const full = this.#file;
    this.#file = undefined;
    await full?.close();
    this.#segment += 1;
    this.#size = 0;
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
    const { directory } = this.#options;
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

  #checkpointLater(): void {
    this.#checkpointTimer ??= setTimeout(() => void this.writeCheckpoint(), CHECKPOINT_MS).unref();
  }

  #writeError(cause: unknown): Error {
    const why = cause instanceof Error ? cause.message : String(cause);
    const what = `the audit log cannot be written: ${why}`;
    return new GatekeeperError('GK_AUDIT_WRITE', { what, where: this.#options.directory, cause });
  }

  /** One at a time: an older one must not take the place of a newer one. */
  #writeCheckpoint(): Promise<void> {
    const mine = this.#checkpoints.then(() => this.#writeCheckpointNow());
    this.#checkpoints = mine.catch(() => undefined);
    return mine;
  }

  /** What it tells of must be on the disk first, or a power cut would look like a cut tail. */
  async #writeCheckpointNow(): Promise<void> {
    const { directory, signer, writeAtomic, checkpointed } = this.#options;
    const [head, size] = [this.#head, this.#tree.end];
    if (head === this.#signed || size === 0) return;
    const root = Buffer.from(this.#tree.root()).toString('base64');
    await this.#file?.datasync();
    const origin = originOf(this.#log);
    const note = sealCheckpoint({ origin, size, root }, signer.keyId(origin), signer.sign);
    writeAtomic(checkpointPath(directory), note);
    this.#signed = head;
    checkpointed(note);
  }
}

const SEGMENT_BYTES = 16 * 1024 * 1024;
const SEGMENT_AGE_MS = 24 * 60 * 60 * 1000;
const MAX_BATCH = 4096;
const AT_ONCE_BYTES = 64 * 1024;
const HELD_UP_MS = 5;
const PATIENT_MS = 1000;
/** How far the checkpoint may be behind the log. */
const CHECKPOINT_MS = 500;
