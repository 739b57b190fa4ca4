import type { Holder } from '../adapters/anchors/holder.ts';
import { parseCheckpoint } from '../core/audit/checkpoint.ts';

/** How many entries of the log somebody outside of its directory holds a checkpoint over, as far as this process has seen it taken. */
export class AnchoredSize {
  #size = 0;
  readonly #waiting = new Set<{ size: number; done: (taken: boolean) => void }>();

  /** The holder, as one whose taking is noticed. */
  watch(holder: Holder): Holder {
    return {
      ...holder,
      put: async (note, signal) => {
        await holder.put(note, signal);
        this.#taken(parseCheckpoint(note)?.size ?? 0);
      },
    };
  }

  /** Whether it is as much, now or within a while. */
  reaches(size: number): Promise<boolean> {
    if (this.#size >= size) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => one.done(false), PATIENT_MS).unref();
      const one = {
        size,
        done: (taken: boolean) => {
          clearTimeout(timer);
          this.#waiting.delete(one);
          resolve(taken);
        },
      };
      this.#waiting.add(one);
    });
  }

  #taken(size: number): void {
    this.#size = Math.max(this.#size, size);
    for (const one of [...this.#waiting]) if (one.size <= this.#size) one.done(true);
  }
}

const PATIENT_MS = 30_000;
