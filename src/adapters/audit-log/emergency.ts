import type { AuditFields } from '../../core/audit/record.ts';
import { type OnFailure, Outage } from './outage.ts';
import { Reserve } from './reserve.ts';

export type EmergencyOptions = {
  directory: string;
  now: () => string;
  onFailure: OnFailure;
  /** Hears that the log can be written again. */
  resumed: () => void;
  retryMs: number;
  write: (records: readonly AuditFields[]) => Promise<void>;
  checkpoint: () => Promise<void>;
  /** Writes once more what the disk did not take, and says what that was. */
  rewrite: () => Promise<string | undefined>;
  /** Asks the one who writes to come and `work`. */
  wake: () => void;
};

/**
 * What is done about a log that cannot be written. From the first failure on, of a write, of the disk or of a checkpoint, nothing is taken until an attempt
 * has shown that all of it works again: there is room for the reserve, what the log holds is on the disk and under a checkpoint, and an entry says what was.
 * Everything here is called by the one who writes, one after the other.
 */
export class Emergency {
  readonly #options: EmergencyOptions;
  readonly #reserve: Reserve;
  #outage: Outage | undefined;
  #noted: { cause: unknown } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #attemptDue = false;
  #closed = false;

  constructor(options: EmergencyOptions) {
    this.#options = options;
    this.#reserve = new Reserve(options.directory);
  }

  /** Undefined while the log works. */
  get outage(): Outage | undefined {
    return this.#outage;
  }

  /** There is something to do. */
  get due(): boolean {
    return this.#noted !== undefined || this.#attemptDue;
  }

  /** A failure that was met by somebody else; looked into at the next `work`. */
  note(cause: unknown): void {
    if (this.#closed || this.#outage !== undefined) return;
    this.#noted ??= { cause };
    this.#options.wake();
  }

  async work(): Promise<void> {
    const noted = this.#noted;
    if (noted !== undefined) await this.suspend(noted.cause);
    else if (this.#attemptDue) await this.#tryAgain();
  }

  /** A log without room to say that it has none left does not begin. */
  async keepRoom(): Promise<void> {
    try {
      this.#reserve.make();
    } catch (cause) {
      await this.suspend(cause);
    }
  }

  /** Takes nothing any more, and says so in what room there is. */
  async suspend(cause: unknown): Promise<void> {
    this.#noted = undefined;
    if (this.#outage !== undefined) return;
    const { now, directory, onFailure, write, checkpoint } = this.#options;
    this.#outage = new Outage(cause, { since: now(), directory, mode: onFailure });
    this.#reserve.giveUp();
    try {
      await write([this.#outage.halted()]);
      await checkpoint();
    } catch {
      // the entry that ends it tells the same
    }
    this.#later();
  }

  /** One attempt more, the last chance to tell what is missing; none after it. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#attemptDue = this.#outage !== undefined;
    this.#options.wake();
  }

  #later(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#attemptDue = true;
      this.#options.wake();
    }, this.#options.retryMs).unref();
  }

  /** Everything that the log needs, in an order that leaves no entries behind when one of it fails. */
  async #tryAgain(): Promise<void> {
    this.#attemptDue = false;
    const outage = this.#outage;
    if (outage === undefined) return;
    const { now, write, checkpoint, rewrite, resumed } = this.#options;
    try {
      this.#reserve.make();
      const done = await rewrite();
      await checkpoint();
      await write([outage.resumed(now(), done), ...outage.gaps()]);
    } catch (cause) {
      outage.again(cause);
      this.#reserve.giveUp();
      this.#later();
      return;
    }
    this.#outage = undefined;
    try {
      await checkpoint();
    } catch (cause) {
      return await this.suspend(cause);
    }
    resumed();
  }
}
