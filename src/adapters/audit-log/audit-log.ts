import { randomBytes } from 'node:crypto';
import { CompactRange } from '../../core/audit/merkle.ts';
import type { AuditFields, ChainHead } from '../../core/audit/record.ts';
import type { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { CheckpointWriter } from './checkpoint-writer.ts';
import { Emergency } from './emergency.ts';
import type { Finding } from './held-checkpoints.ts';
import { type AppendTerms, type AuditLogOptions, DEFAULTS } from './log-options.ts';
import { unfinishedOutage } from './outage.ts';
import { tailRecords } from './read.ts';
import { type RecoveredLog, recoverLog } from './recovery.ts';
import { type LogPlace, type LogSigner, sealBatch } from './seal-batch.ts';
import { SegmentFile } from './segment-file.ts';
import { startEntry } from './segment-start.ts';
import { treeHasher } from './tree-hasher.ts';
import { rewriteUnsynced } from './unsynced.ts';

type Waiting = AppendTerms & {
  records: () => readonly AuditFields[];
  done: (head: ChainHead) => void;
  failed: (error: unknown) => void;
  /** Who signs what comes behind it. Such a one is written by itself. */
  signer?: LogSigner;
};

/**
 * The one writer of the log. Its caller holds the lock of the directory. What is appended in one turn of the event loop is
 * sealed and written together. An append resolves when its lines are in the kernel's hands, in order, and rejects when
 * they are not in the log at all: a failed write is undone before anything else is tried. What comes then: `Emergency`.
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
  readonly #emergency: Emergency;
  /** What the disk is known to hold. */
  #synced: LogPlace;
  #closed = false;
  /** How it was found: what others hold of it is compared with that. `size`: number of entries; `sealed`: how many of them a checkpoint told of. */
  readonly opened: { log: string; size: number; sealed: number; findings: readonly Finding[] };

  private constructor(options: AuditLogOptions, { head, start, segment, size, sealed, findings }: RecoveredLog) {
    this.#options = { ...DEFAULTS, ...options };
    this.#signer = options.signer;
    const tree = start?.tree ?? new CompactRange(treeHasher);
    this.#place = { log: start?.log ?? randomBytes(16).toString('hex'), head, tree, bytes: size };
    const found = [...findings, ...this.#options.findings];
    this.opened = { log: this.#place.log, size: tree.end, sealed, findings: found };
    this.#synced = this.#place;
    this.#file = new SegmentFile(options.directory, segment, size);
    this.#segmentBegan = Date.parse(start?.time ?? options.now());
    this.#checkpoints = new CheckpointWriter({
      ...this.#options,
      place: () => ({ place: this.#place, signer: this.#signer }),
      sync: (place) => this.#sync(place),
      failed: (cause) => this.#emergency.note(cause),
    });
    this.#emergency = new Emergency({
      ...this.#options,
      write: (records) => this.#writeBatch(records),
      checkpoint: () => this.#checkpoints.now(),
      rewrite: async () => {
        this.#requireLock();
        return rewriteUnsynced(this.#file, this.#synced, this.#place);
      },
      wake: () => this.#wake(),
    });
  }

  /** Opens the log, mends what a crash left, and records that it did. */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const { directory, signer, verify, now } = options;
    const recovered = recoverLog(directory, { now: now(), signer, verify });
    const log = new AuditLog(options, recovered);
    for (const finding of log.opened.findings) {
      await log.append([{ action: 'recovered', time: now(), ...finding }]);
    }
    const unfinished = unfinishedOutage(tailRecords(directory, MOST_ENDINGS), now());
    if (unfinished.length > 0) await log.append(unfinished);
    await log.#emergency.keepRoom();
    return log;
  }

  get head(): ChainHead {
    return this.#place.head;
  }

  /** Why the last write failed; undefined while the log works. */
  get failure(): GatekeeperError | undefined {
    return this.#emergency.outage?.error;
  }

  /** Receipts that were let go while the log could not be written, and are not told of yet. */
  get unrecorded(): number {
    return this.#emergency.outage?.unrecorded ?? 0;
  }

  append(records: readonly AuditFields[], terms: AppendTerms = {}): Promise<ChainHead> {
    return this.#append({ ...terms, records: () => records });
  }

  /**
   * Records that another key signs from here on, and lets it. Resolves when the entry is in the log, the last one that the old key signs, and a checkpoint by the
   * new key was tried. Rejects when the entry is not there: nothing has changed then.
   */
  async changeKey(signer: LogSigner): Promise<ChainHead> {
    const records = (): readonly AuditFields[] => {
      const [keyBefore, key] = [this.#signer.publicKey, signer.publicKey].map((it) =>
        Buffer.from(it).toString('base64'),
      );
      return [{ action: 'key_change', time: this.#options.now(), keyBefore: keyBefore!, key: key! }];
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
    this.#emergency.close();
    while (this.#writing !== undefined) await this.#writing;
    this.#checkpoints.close();
    if (this.#emergency.outage === undefined) await this.#checkpoints.now();
    await this.#file.close();
  }

  #append(what: Omit<Waiting, 'done' | 'failed'>): Promise<ChainHead> {
    if (this.#closed) return Promise.reject(new Error('the audit log is closed'));
    return new Promise((done, failed) => {
      this.#waiting.push({ ...what, done, failed });
      this.#wake();
    });
  }

  #wake(): void {
    if (this.#waiting.length > 0 || this.#emergency.due) this.#writing ??= this.#writeWaiting();
  }

  async #writeWaiting(): Promise<void> {
    while (this.#waiting.length > 0 || this.#emergency.due) {
      await new Promise(setImmediate); // let the rest of this turn join the batch, and other work go on
      await this.#emergency.work();
      const batch = this.#waiting.splice(0, this.#nextBatch());
      const halted = this.#emergency.outage !== undefined;
      const refused = await this.#take(halted ? batch.filter(({ ending }) => ending) : batch);
      this.#refuse(refused || halted ? batch.filter((one) => refused || !one.ending) : []);
    }
    this.#writing = undefined;
  }

  /** False when they are in the log. */
  async #take(batch: readonly Waiting[]): Promise<boolean> {
    if (batch.length === 0) return false;
    try {
      await this.#writeBatch(
        batch.flatMap(({ records }) => records()),
        batch[0]!.signer,
      );
    } catch (cause) {
      await this.#emergency.suspend(cause);
      return true;
    }
    for (const { done } of batch) done(this.#place.head);
    return false;
  }

  #refuse(batch: readonly Waiting[]): void {
    const { outage } = this.#emergency;
    for (const { records, mayBeLost, done, failed } of batch) {
      if (mayBeLost && this.#options.onFailure === 'degrade') {
        outage?.lose(records());
        done(this.#place.head);
      } else failed(outage?.error);
    }
  }

  /** How many may be written at once: all that one key signs. */
  #nextBatch(): number {
    const change = this.#waiting.findIndex(({ signer }) => signer !== undefined);
    return change === 0 ? 1 : change > 0 ? Math.min(change, MAX_BATCH) : MAX_BATCH;
  }

  /** `next`: who signs from then on. A checkpoint never sees the one without the other. */
  async #writeBatch(records: readonly AuditFields[], next = this.#signer): Promise<void> {
    this.#requireLock();
    if (this.#segmentIsOver()) await this.#nextSegment();
    const all = this.#file.size === 0 ? [this.#startEntry(), ...records] : records;
    const { bytes, place } = sealBatch(this.#place, all, this.#signer, next);
    await this.#file.append(bytes);
    this.#place = place;
    this.#signer = next;
    this.#checkpoints.later();
    if (all === records) return;
    this.#segmentBegan = Date.parse(all[0]!.time);
    this.#options.began();
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
    this.#place = { ...this.#place, bytes: 0 };
    this.#synced = this.#place;
    await full.close();
  }

  /** Two writers would each spoil what the other one wrote. */
  #requireLock(): void {
    if (!this.#options.holdsLog()) throw new Error('another process holds its lock');
  }

  async #sync(place: LogPlace): Promise<void> {
    this.#requireLock();
    const file = this.#file;
    await file.sync();
    if (file === this.#file) this.#synced = place;
  }
}

const MAX_BATCH = 4096;
/** What may stand behind the entry that the log takes nothing: ends of runs. */
const MOST_ENDINGS = 1024;
