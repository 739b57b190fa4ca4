/**
 * The memory that one direction of a tunnel reads into. Two buffers take turns, so that the next read can go on while the last one is still being
 * written. A tunnel starts with small ones; while reads fill them it borrows large ones, which all tunnels share and which are few.
 */
export class ReadBuffers {
  readonly #pool: BufferPool;
  readonly #slots: [Uint8Array, Uint8Array] = [EMPTY, EMPTY];
  #turn = 0;
  #full = 0;
  #sparse = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** The buffer for the next read. `free` says that what was read into it two reads ago has been written; else it is not exchanged. */
  next(free: boolean): Uint8Array {
    this.#turn ^= 1;
    const held = this.#slots[this.#turn] ?? EMPTY;
    if (!free) return held;
    const wantsLarge = this.#full >= 2;
    const isLarge = held.length > SMALL_BYTES;
    if (isLarge ? wantsLarge : held.length > 0 && !wantsLarge) return held;
    const taken =
      (wantsLarge && this.#pool.take()) || (isLarge || held.length === 0 ? new Uint8Array(SMALL_BYTES) : held);
    if (isLarge && taken !== held) this.#pool.giveBack(held);
    this.#slots[this.#turn] = taken;
    return taken;
  }

  /** Learns from a read of so many bytes into the current buffer. */
  filled(bytes: number): void {
    const size = this.#slots[this.#turn]?.length ?? 0;
    if (bytes === size || bytes > SMALL_BYTES) {
      this.#full++;
      this.#sparse = 0;
    } else if (++this.#sparse > 16) this.#full = 0;
  }

  /** Gives large buffers back; `inUse` says that a write may still be reading them, then they are left to the collector. */
  release(inUse: boolean): void {
    for (const [at, buffer] of this.#slots.entries()) {
      if (buffer.length > SMALL_BYTES) this.#pool.giveBack(inUse ? undefined : buffer);
      this.#slots[at] = EMPTY;
    }
  }
}

/** A bounded stock of large buffers. */
export class BufferPool {
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

const EMPTY = new Uint8Array(0);
const SMALL_BYTES = 16 * 1024;
const LARGE_BYTES = 512 * 1024;
const LARGE_MAX = 64;
const LARGE_IDLE = 8;
