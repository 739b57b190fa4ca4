import { fstatSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { segmentPath } from './segments.ts';

/**
 * The file that the log is written to. A write is in it as a whole, or leaves nothing: what a failed one left is cut off before anything
 * else is tried.
 */
export class SegmentFile {
  readonly #directory: string;
  readonly number: number;
  #size: number;
  #file: FileHandle | undefined;
  #undo = false;
  #unsynced = false;
  #heldUpUntil = 0;
  /** Its name may not be on the disk yet. */
  #isNew: boolean;

  /** `size`: what is in it already; it is made when it is first written to. */
  constructor(directory: string, number: number, size: number) {
    this.#directory = directory;
    this.number = number;
    this.#size = size;
    this.#isNew = size === 0;
  }

  get size(): number {
    return this.#size;
  }

  /** Whether a failed write may have left something behind it. */
  get unsound(): boolean {
    return this.#undo;
  }

  async append(bytes: Buffer): Promise<void> {
    const file = await this.#open();
    this.#undo = true;
    await this.#write(file, bytes);
    this.#undo = false;
    this.#size += bytes.length;
  }

  /**
   * Waits until the disk has what was written. The kernel tells of a write that failed once, and then counts it as done (fsync(2), "EIO"): after an error
   * no other answer is believed until it was written once more.
   */
  async sync(): Promise<void> {
    if (this.#unsynced) throw new Error(`the disk did not take what was written to ${this.number}.jsonl`);
    try {
      await this.#file?.datasync();
      if (this.#file !== undefined && this.#isNew) await this.#syncName();
    } catch (error) {
      this.#unsynced = true;
      throw error;
    }
  }

  /** A file whose name a power cut takes away is gone with all that is in it (fsync(2)). */
  async #syncName(): Promise<void> {
    const directory = await open(this.#directory, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
    this.#isNew = false;
  }

  /** Whether the disk may not have what was written. */
  get unsynced(): boolean {
    return this.#unsynced;
  }

  /** What was written, from there to the end. */
  async read(from: number): Promise<Buffer> {
    const file = await this.#open();
    const bytes = Buffer.alloc(this.#size - from);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, bytes.length - at, from + at);
      if (bytesRead === 0) throw new Error(`${this.number}.jsonl is shorter than what was written to it`);
      at += bytesRead;
    }
    return bytes;
  }

  /** Writes the same once more where it stands, and waits until the disk has it. */
  async rewrite(from: number, bytes: Buffer): Promise<void> {
    const file = await open(segmentPath(this.#directory, this.number), 'r+'); // not to append
    try {
      for (let at = 0; at < bytes.length; )
        at += (await file.write(bytes, at, bytes.length - at, from + at)).bytesWritten;
      await file.datasync();
    } finally {
      await file.close();
    }
    this.#unsynced = false;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  /** The file, ending exactly where this writer left it. */
  async #open(): Promise<FileHandle> {
    this.#file ??= await open(segmentPath(this.#directory, this.number), 'a+', 0o600);
    if (this.#undo) await this.#file.truncate(this.#size);
    // Nothing that waits for the disk: a thread would cost more than the answer.
    const { size, nlink } = fstatSync(this.#file.fd);
    if (size !== this.#size || nlink === 0) {
      throw new Error(`${this.number}.jsonl was changed by someone else: ${size} bytes, not ${this.#size}`);
    }
    this.#undo = false;
    return this.#file;
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
}

const AT_ONCE_BYTES = 64 * 1024;
const HELD_UP_MS = 5;
const PATIENT_MS = 1000;
