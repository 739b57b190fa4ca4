import { originOf, sealCheckpoint } from '../../core/audit/checkpoint.ts';
import type { LogPlace, LogSigner } from './seal-batch.ts';
import { checkpointPath } from './segments.ts';

export type CheckpointWriterOptions = {
  directory: string;
  writeAtomic: (path: string, content: string) => void;
  /** Hears of each checkpoint when it is on the disk. */
  checkpointed: (note: string) => void;
  /** Where the log stands, and who signs there. */
  place: () => { place: LogPlace; signer: LogSigner };
  /** Puts on the disk what has been written, up to that place at least. */
  sync: (place: LogPlace) => Promise<void>;
  /** Hears of one that could not be written. */
  failed: (error: unknown) => void;
};

/** Says where the log stands, signed, soon after each entry: it is the holder of the last one who notices when entries are gone. */
export class CheckpointWriter {
  readonly #options: CheckpointWriterOptions;
  #timer: NodeJS.Timeout | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  /** What the last checkpoint tells of. */
  #signed: LogPlace | undefined;
  #closed = false;

  constructor(options: CheckpointWriterOptions) {
    this.#options = options;
  }

  /** An entry was written: a checkpoint is due. */
  later(): void {
    if (!this.#closed) this.#timer ??= setTimeout(() => void this.tryNow(), CHECKPOINT_MS).unref();
  }

  /** Never rejects: the entries are safe, only the statement about them comes with a later try. */
  async tryNow(): Promise<void> {
    // Entries that come from here on wait for the next one, from when they come.
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      await this.now();
    } catch (error) {
      this.#options.failed(error);
    }
    if (this.#signed !== this.#options.place().place) this.later();
  }

  /** One at a time: an older one must not take the place of a newer one. */
  now(): Promise<void> {
    const mine = this.#queue.then(() => this.#write());
    this.#queue = mine.catch(() => undefined);
    return mine;
  }

  /** None is due any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** What it tells of must be on the disk first, or a power cut would look like a cut tail. */
  async #write(): Promise<void> {
    const { directory, writeAtomic, checkpointed, sync } = this.#options;
    const { place, signer } = this.#options.place();
    const size = place.tree.end;
    if (place === this.#signed || size === 0) return;
    await sync(place);
    const origin = originOf(place.log);
    const root = Buffer.from(place.tree.root()).toString('base64');
    const note = sealCheckpoint({ origin, size, root }, signer.keyId(origin), signer.sign);
    writeAtomic(checkpointPath(directory), note);
    this.#signed = place;
    checkpointed(note);
  }
}

/** How far the checkpoint may be behind the log. */
const CHECKPOINT_MS = 400;
