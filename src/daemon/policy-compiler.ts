import { Worker } from 'node:worker_threads';
import { BrokenPolicy } from '../adapters/policy-files/broken-policy.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import type { PolicyUser } from './compile-policy.ts';
import type { CompileAnswer, CompileOrder, WorkerStart } from './policy-worker.ts';
import type { CompiledPolicy, CompilePolicy } from './run-policy.ts';

type Waiting = { done: (compiled: CompiledPolicy) => void; fail: (error: Error) => void; timer: NodeJS.Timeout };

/**
 * Compiles policies in a thread of its own, which keeps what it can use again. A policy that takes the thread's memory or time has none of the
 * daemon's: its order fails, and the next one gets a new thread.
 */
export class PolicyCompiler {
  readonly #start: WorkerStart;
  readonly #longestMs: number;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #orders = 0;

  constructor(layout: HomeLayout, user: PolicyUser, longestMs = LONGEST_MS) {
    this.#start = { layout, user };
    this.#longestMs = longestMs;
    this.#worker = this.#startWorker();
  }

  readonly compile: CompilePolicy = (request, cacheSlot) =>
    new Promise((done, fail) => {
      const order: CompileOrder = { id: ++this.#orders, request, cacheSlot };
      const timer = setTimeout(() => this.#lose(`it takes longer than ${this.#longestMs / 1000} s`), this.#longestMs);
      this.#waiting.set(order.id, { done, fail, timer: timer.unref() });
      this.#worker ??= this.#startWorker();
      this.#worker.postMessage(order);
    });

  async close(): Promise<void> {
    await this.#lose('the daemon stops');
  }

  #startWorker(): Worker {
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./policy-worker.${ending}`, import.meta.url), {
      workerData: this.#start,
      resourceLimits: { maxOldGenerationSizeMb: LARGEST_MEMORY_MB },
    });
    worker.on('message', (answer: CompileAnswer) => this.#take(answer));
    for (const event of ['error', 'exit'] as const) {
      worker.on(event, (why) => {
        if (worker === this.#worker) void this.#lose(why instanceof Error ? why.message : 'its thread has ended');
      });
    }
    worker.unref();
    return worker;
  }

  #take(answer: CompileAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    this.#waiting.delete(answer.id);
    clearTimeout(waiting.timer);
    if ('compiled' in answer) waiting.done(answer.compiled);
    else waiting.fail(new BrokenPolicy(answer.broken.code, answer.broken, answer.broken.files));
  }

  /** Whoever waits for this thread waits in vain. */
  async #lose(why: string): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    for (const { fail, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      fail(new GatekeeperError('GK_POLICY_INVALID', { what: `the policy could not be compiled: ${why}` }));
    }
    this.#waiting.clear();
    await worker?.terminate();
  }
}

/** Hostile patterns are refused after seconds of work; a loaded machine may make much more of them. */
const LONGEST_MS = 60_000;
const LARGEST_MEMORY_MB = 1024;
