import { redact } from '../../core/audit/redact.ts';
import type { Holder } from './holder.ts';

export type LaneOptions = {
  holder: Holder;
  /** Hears of a change: the holder fails, and why, or works again. At most once a minute. */
  tell: (holder: string, failure: string | undefined) => void;
  /** For tests. */
  limits?: { putMs: number; retryMs: number; mostRetryMs: number; tellMs: number };
};

/**
 * What goes to one holder: one note at a time, and of those that come meanwhile the newest alone, since it says everything that the others do. A holder
 * that fails is tried again with the newest, at longer and longer intervals.
 */
export class Lane {
  readonly holder: Holder;
  readonly #tell: LaneOptions['tell'];
  readonly #limits: NonNullable<LaneOptions['limits']>;
  #next: string | undefined;
  #work: Promise<void> | undefined;
  #failure: string | undefined;
  #told: string | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #retryMs: number;
  #timer: NodeJS.Timeout | undefined;
  #tellTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ holder, tell, limits = LIMITS }: LaneOptions) {
    this.holder = holder;
    this.#tell = tell;
    this.#limits = limits;
    this.#retryMs = limits.retryMs;
  }

  /** Why the last note was not taken; undefined while the holder works. */
  get failure(): string | undefined {
    return this.#failure;
  }

  put(note: string): void {
    if (this.#closed) return;
    this.#next = note;
    if (this.#timer === undefined) this.#work ??= this.#deliver();
  }

  /** Tries what is left once more, however lately that failed, and takes nothing any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#tellTimer);
    await this.#work;
    if (this.#next !== undefined) await this.#putNext();
    this.holder.close?.();
  }

  async #deliver(): Promise<void> {
    await undefined; // nothing of it happens within the log's own turn
    while (this.#next !== undefined && this.#timer === undefined) {
      const taken = await this.#putNext();
      if (this.#closed) break;
      if (!taken) {
        this.#rest(this.#retryMs);
        this.#retryMs = Math.min(this.#retryMs * 2, this.#limits.mostRetryMs);
      } else if (this.holder.pauseMs !== undefined) this.#rest(this.holder.pauseMs);
    }
    this.#work = undefined;
  }

  #rest(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#next !== undefined) this.#work ??= this.#deliver();
    }, milliseconds).unref();
  }

  async #putNext(): Promise<boolean> {
    const note = this.#next!;
    this.#next = undefined;
    try {
      await within(this.#limits.putMs, (signal) => this.holder.put(note, signal));
      this.#retryMs = this.#limits.retryMs;
      this.#is(undefined);
      return true;
    } catch (error) {
      this.#next ??= note;
      this.#is(oneLine(error));
      return false;
    }
  }

  #is(failure: string | undefined): void {
    this.#failure = failure;
    if ((failure === undefined) === (this.#told === undefined) || this.#tellTimer !== undefined) return;
    const wait = this.#toldAt + this.#limits.tellMs - performance.now();
    if (wait <= 0 || this.#closed) this.#tellNow();
    else this.#tellTimer = setTimeout(() => this.#tellNow(), wait).unref();
  }

  #tellNow(): void {
    this.#tellTimer = undefined;
    if ((this.#failure === undefined) === (this.#told === undefined)) return;
    this.#told = this.#failure;
    this.#toldAt = performance.now();
    this.#tell(this.holder.name, this.#failure);
  }
}

/** Also ends when what it waits for does not heed the signal. */
export async function within<Value>(
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_done, fail) => {
    timer = setTimeout(() => {
      const error = new Error(`no answer in ${milliseconds / 1000} s`);
      fail(error);
      stop.abort(error);
    }, milliseconds);
  });
  try {
    return await Promise.race([work(stop.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What went wrong, without obvious secrets, or anything that a terminal or a log would take for more than text. */
export function oneLine(error: unknown): string {
  const text = redact((error instanceof Error ? error.message : String(error)).slice(0, MOST_SAID));
  // As Node.js words what the system says: ENOENT: no such file or directory, open '/x'
  const [, what, path] = /^E[A-Z0-9]+: ([^,]+), \w+(?: '(.*)')?$/s.exec(text) ?? [];
  const said = what === undefined ? text : path === undefined ? what : `${what} (${path})`;
  return said.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ').slice(0, 300);
}

const MOST_SAID = 4096;
const LIMITS = { putMs: 10_000, retryMs: 1000, mostRetryMs: 60_000, tellMs: 60_000 };
