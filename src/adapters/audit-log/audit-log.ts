import { randomBytes } from 'node:crypto';
import { keyChangeEntry } from '../../core/audit/key-change.ts';
import { CompactRange } from '../../core/audit/merkle.ts';
import type { AuditFields, ChainHead } from '../../core/audit/record.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { CheckpointWriter } from './checkpoint-writer.ts';
import { type RecoveredLog, recoverLog } from './recovery.ts';
import { type LogPlace, type LogSigner, sealBatch } from './seal-batch.ts';
import { SegmentFile } from './segment-file.ts';
import { startEntry } from './segment-start.ts';
import { treeHasher } from './tree-hasher.ts';

export type AuditLogOptions = {
  directory: string;
  signer: LogSigner;
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

type Waiting = {
  records: () => readonly AuditFields[];
  done: (head: ChainHead) => void;
  failed: (error: unknown) => void;
  /** Who signs what comes behind it. Such a one is written by itself. */
  signer?: LogSigner;
};

/**
 * The one writer of the log. Its caller holds the lock of the directory. What is appended in one turn of the event loop is
 * sealed and written together. An append resolves when its lines are in the kernel's hands, in order, and rejects when
 * they are not in the log at all: a failed write is undone before anything else is tried.
 */
export class AuditLog {
  readonly #options: Required<AuditLogOptions>;
  readonly #checkpoints: CheckpointWriter;
  #signer: LogSigner;
  #place: LogPlace;
  #file: SegmentFile;
  #segmentBegan: number;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;
  #closed = false;

  private constructor(options: AuditLogOptions, { head, start, segment, size }: RecoveredLog) {
    this.#options = { segmentBytes: SEGMENT_BYTES, segmentAgeMs: SEGMENT_AGE_MS, checkpointed: () => {}, ...options };
    this.#signer = options.signer;
    const tree = start?.tree ?? new CompactRange(treeHasher);
    this.#place = { log: start?.log ?? randomBytes(16).toString('hex'), head, tree };
    this.#file = new SegmentFile(options.directory, segment, size);
    this.#segmentBegan = Date.parse(start?.time ?? options.now());
    this.#checkpoints = new CheckpointWriter({
      ...this.#options,
      place: () => ({ place: this.#place, signer: this.#signer }),
      sync: () => this.#file.sync(),
      failed: (error) => {
        this.#failure ??= this.#writeError(error);
      },
    });
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
    return this.#place.head;
  }

  /** Why the last write failed; undefined while the log works. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  append(records: readonly AuditFields[]): Promise<ChainHead> {
    return this.#append({ records: () => records });
  }

  /**
   * Records that another key signs from here on, and lets it. Resolves when the entry is in the log, the last one that the old key signs, and a checkpoint by the
   * new key was tried. Rejects when the entry is not there: nothing has changed then.
   */
  async changeKey(signer: LogSigner): Promise<ChainHead> {
    const records = () => {
      const [keyBefore, key] = [this.#signer.publicKey, signer.publicKey].map((it) =>
        Buffer.from(it).toString('base64'),
      );
      return [
        keyChangeEntry({ log: this.#place.log, keyBefore: keyBefore!, key: key! }, this.#options.now(), signer.sign),
      ];
    };
    const head = await this.#append({ records, signer });
    await this.writeCheckpoint();
    return head;
  }

  /** Signs where the log stands now rather than when it is due. Never rejects: one that cannot be written comes with a later try. */
  writeCheckpoint(): Promise<void> {
    return this.#checkpoints.tryNow();
  }

  /** Writes what is waiting and a checkpoint. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#writing !== undefined) await this.#writing;
    this.#checkpoints.close();
    if (this.#failure === undefined) await this.#checkpoints.now();
    await this.#file.close();
  }

  #append(what: Pick<Waiting, 'records' | 'signer'>): Promise<ChainHead> {
    if (this.#closed) return Promise.reject(new Error('the audit log is closed'));
    return new Promise((done, failed) => {
      this.#waiting.push({ ...what, done, failed });
      this.#writing ??= this.#writeWaiting();
    });
  }

  async #writeWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise(setImmediate); // let the rest of this turn join the batch, and other work go on
      const batch = this.#waiting.splice(0, this.#nextBatch());
      try {
        await this.#writeBatch(batch.flatMap(({ records }) => records()));
        this.#signer = batch[0]!.signer ?? this.#signer;
        this.#failure = undefined;
        for (const { done } of batch) done(this.#place.head);
      } catch (error) {
        this.#failure = this.#writeError(error);
        for (const { failed } of batch) failed(this.#failure);
      }
    }
    this.#writing = undefined;
  }

  /** How many may be written at once: all that one key signs. */
  #nextBatch(): number {
    const change = this.#waiting.findIndex(({ signer }) => signer !== undefined);
    return change === 0 ? 1 : change > 0 ? Math.min(change, MAX_BATCH) : MAX_BATCH;
  }

  async #writeBatch(records: readonly AuditFields[]): Promise<void> {
    if (this.#segmentIsOver()) await this.#nextSegment();
    const all = this.#file.size === 0 ? [this.#startEntry(), ...records] : records;
    const { bytes, place } = sealBatch(this.#place, all, this.#signer);
    await this.#file.append(bytes);
    if (all !== records) this.#segmentBegan = Date.parse(all[0]!.time);
    this.#place = place;
    this.#checkpoints.later();
  }

  #startEntry(): AuditFields {
    const { log, tree } = this.#place;
    const publicKey = this.#signer.publicKey;
    return startEntry({ time: this.#options.now(), log, segment: this.#file.number, tree, publicKey });
  }

  /** Never in the middle of undoing a write. */
  #segmentIsOver(): boolean {
    const { segmentBytes, segmentAgeMs, now } = this.#options;
    if (this.#file.unsound || this.#file.size === 0) return false;
    return this.#file.size >= segmentBytes || Date.parse(now()) - this.#segmentBegan >= segmentAgeMs;
  }

  /** A file's last entry is covered by a checkpoint before the next file begins. */
  async #nextSegment(): Promise<void> {
    await this.#checkpoints.now();
    const full = this.#file;
    this.#file = new SegmentFile(this.#options.directory, full.number + 1, 0);
    await full.close();
  }

  #writeError(cause: unknown): Error {
    const why = cause instanceof Error ? cause.message : String(cause);
    const what = `the audit log cannot be written: ${why}`;
    return new GatekeeperError('GK_AUDIT_WRITE', { what, where: this.#options.directory, cause });
  }
}

const SEGMENT_BYTES = 16 * 1024 * 1024;
const SEGMENT_AGE_MS = 24 * 60 * 60 * 1000;
const MAX_BATCH = 4096;
