/**
 * The memory that one direction of a tunnel reads into. A tunnel that is quiet, or carries little, has none of its own: it reads into memory that all share,
 * and what it read is copied out at once. While reads fill that, it borrows two large buffers, which take turns, so that the next read can go on while the last
 * one is still being written. Those are few, and given back as soon as a read is short and all is written.
 */
export class ReadBuffers {
  readonly #pool: BufferPool;
  /** Large ones, while they are borrowed. */
  readonly #own: [Uint8Array | undefined, Uint8Array | undefined] = [undefined, undefined];
  #turn = 0;
  #isFull = false;
  #current: Uint8Array;

  constructor(pool: BufferPool) {
    this.#pool = pool;
    this.#current = pool.shared;
  }

  /** The memory for the next read. `pending`: so many of the last reads are still being written; it is not read into while there are two. */
  next(pending: number): Uint8Array {
    this.#current = (this.#isFull && this.#large()) || this.#pool.shared;
    this.settle(pending);
    return this.#current;
  }

  /** What a read of so many bytes brought, in memory that stays as it is until it is written. */
  filled(bytes: number): Uint8Array {
    this.#isFull = bytes >= SHARED_BYTES;
    const chunk = this.#current.subarray(0, bytes);
    return this.#current === this.#pool.shared ? Buffer.from(chunk) : chunk;
  }

  /** Gives the large buffers back when nothing reads into them and nothing is written from them. */
  settle(pending: number): void {
    if (pending === 0 && this.#current === this.#pool.shared) this.#giveBack(false);
  }

  /** No more reads. `inUse`: a write may still be reading from the buffers, then they are left to the collector. */
  release(inUse: boolean): void {
    this.#current = this.#pool.shared;
    this.#giveBack(inUse);
  }

  /** The one that was not read into last, so what came from it is written when the next read begins. Undefined when all are lent. */
  #large(): Uint8Array | undefined {
    this.#turn ^= 1;
    this.#own[this.#turn] ??= this.#pool.take();
    return this.#own[this.#turn];
  }

  #giveBack(inUse: boolean): void {
    for (const [at, buffer] of this.#own.entries()) {
      if (buffer) this.#pool.giveBack(inUse ? undefined : buffer);
      this.#own[at] = undefined;
    }
  }
}

/** Memory of all tunnels: one buffer for those that carry little, and a bounded stock of large ones. */
export class BufferPool {
  readonly shared = new Uint8Array(SHARED_BYTES);
  readonly #idle: Uint8Array[] = [];
  #lent = 0;

  take(): Uint8Array | undefined {
    if (this.#lent >= LARGE_MAX) return undefined;
    this.#lent++;
    return this.#idle.pop() ?? new Uint8Array(LARGE_BYTES);
  }

  giveBack(buffer: Uint8Array | undefined): void {
    this.#lent--;
    if (buffer && this.#idle.length < LARGE_IDLE) this.#idle.push(buffer);
  }
}

const SHARED_BYTES = 64 * 1024;
const LARGE_BYTES = 512 * 1024;
const LARGE_MAX = 64;
const LARGE_IDLE = 8;
