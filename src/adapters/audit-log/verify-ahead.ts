import { Worker } from 'node:worker_threads';
import type { SoundFile } from './verify-file.ts';
import type { VerifyAnswer, VerifyStart } from './verify-worker.ts';

/**
 * Has files checked by themselves in threads, a few of them ahead of the one that is wanted. Whatever a thread does not come back with is undefined: the one
 * that wants it looks for itself.
 */
export class VerifyAhead {
  readonly #threads: Worker[] = [];
  readonly #waiting: number[];
  readonly #results = new Map<number, PromiseWithDone>();
  readonly #progress: (entries: number, bytes: number) => void;

  constructor(
    start: VerifyStart,
    files: readonly number[],
    threads: number,
    progress: (entries: number, bytes: number) => void,
  ) {
    this.#waiting = [...files];
    this.#progress = progress;
    for (const file of files) this.#results.set(file, withDone());
    for (let count = 0; count < threads; count++) this.#startThread(start);
  }

  /** The result for a file, which is forgotten then. */
  readonly take = async (file: number): Promise<SoundFile | undefined> => {
    const result = await this.#results.get(file)?.promise;
    this.#results.delete(file);
    return result;
  };

  async close(): Promise<void> {
    this.#waiting.length = 0;
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  #startThread(workerData: VerifyStart): void {
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const thread = new Worker(new URL(`./verify-worker.${ending}`, import.meta.url), { workerData });
    let at: number | undefined;
    const next = () => {
      at = this.#waiting.shift();
      if (at !== undefined) thread.postMessage(at);
    };
    thread.on('message', (answer: VerifyAnswer) => {
      if (!('file' in answer)) return this.#progress(answer.entries, answer.bytes);
      this.#results.get(answer.file)?.done(answer.sound);
      next();
    });
    const lost = () => {
      if (at !== undefined) this.#results.get(at)?.done(undefined);
      at = undefined;
      this.#threads.splice(this.#threads.indexOf(thread), 1);
      if (this.#threads.length > 0) return;
      for (const file of this.#waiting.splice(0)) this.#results.get(file)?.done(undefined);
    };
    thread.on('error', () => {});
    thread.once('exit', lost);
    this.#threads.push(thread);
    next();
  }
}

type PromiseWithDone = { promise: Promise<SoundFile | undefined>; done: (sound: SoundFile | undefined) => void };

function withDone(): PromiseWithDone {
  let done: PromiseWithDone['done'] = () => {};
  const promise = new Promise<SoundFile | undefined>((resolve) => {
    done = resolve;
  });
  return { promise, done };
}
