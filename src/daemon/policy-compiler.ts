import { Worker } from 'node:worker_threads';
import { BrokenPolicy } from '../adapters/policy-files/broken-policy.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import type { PolicyUser } from './compile-policy.ts';
import type { CompileAnswer, CompileOrder, WorkerStart } from './policy-worker.ts';
import type { CompiledPolicy, CompilePolicy } from './run-policy.ts';

type Order = {
  order: CompileOrder;
  done: (compiled: CompiledPolicy) => void;
  fail: (error: Error) => void;
};
type Thread = { worker: Worker; at: Order | undefined; timer: NodeJS.Timeout | undefined };

/**
 * Compiles policies in threads of their own, which keep what they can use again. A policy that takes a thread's memory or time has none of the
 * daemon's: its order fails, and the next one gets a new thread. What waits behind a slow one soon gets a second thread.
 */
export class PolicyCompiler {
  readonly #start: WorkerStart;
  readonly #longestMs: number;
  readonly #waiting: Order[] = [];
  #threads: Thread[] = [];
  #most = 1;
  #impatient: NodeJS.Timeout | undefined;
  #orders = 0;

  constructor(layout: HomeLayout, user: PolicyUser, longestMs = LONGEST_MS) {
    this.#start = { layout, user };
    this.#longestMs = longestMs;
    this.#startThread();
  }

  readonly compile: CompilePolicy = (request, cacheSlot, run) =>
    new Promise((done, fail) => {
      this.#waiting.push({ order: { id: ++this.#orders, request, cacheSlot, run }, done, fail });
      this.#next();
    });

  async close(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    await Promise.all(this.#threads.map((thread) => this.#lose(thread, 'the daemon stops')));
    for (const order of waiting) giveUp(order, 'the daemon stops');
  }

  /** Gives what waits to whoever is free. */
  #next(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#threads.find(({ at }) => at === undefined) ?? this.#another();
      if (thread === undefined) break;
      this.#give(thread, this.#waiting.shift()!);
    }
    if (this.#waiting.length > 0) {
      this.#impatient ??= setTimeout(() => {
        this.#impatient = undefined;
        this.#most = MOST_THREADS;
        this.#next();
      }, PATIENCE_MS).unref();
      return;
    }
    clearTimeout(this.#impatient);
    this.#impatient = undefined;
    this.#most = 1;
  }

  #another(): Thread | undefined {
    return this.#threads.length < this.#most ? this.#startThread() : undefined;
  }

  #give(thread: Thread, order: Order): void {
    thread.at = order;
    const late = () => void this.#lose(thread, `it takes longer than ${this.#longestMs / 1000} s`);
    thread.timer = setTimeout(late, this.#longestMs).unref();
    thread.worker.postMessage(order.order);
  }

  #startThread(): Thread {
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./policy-worker.${ending}`, import.meta.url), {
      workerData: this.#start,
      resourceLimits: { maxOldGenerationSizeMb: LARGEST_MEMORY_MB },
    });
    const thread: Thread = { worker, at: undefined, timer: undefined };
    worker.on('message', (answer: CompileAnswer) => this.#take(thread, answer));
    for (const event of ['error', 'exit'] as const) {
      worker.on(event, (why) => void this.#lose(thread, why instanceof Error ? why.message : 'its thread has ended'));
    }
    worker.unref();
    this.#threads.push(thread);
    return thread;
  }

  #take(thread: Thread, answer: CompileAnswer): void {
    const { at } = thread;
    if (answer.id !== at?.order.id) return;
    thread.at = undefined;
    clearTimeout(thread.timer);
    if ('compiled' in answer) at.done(answer.compiled);
    else at.fail(new BrokenPolicy(answer.broken.code, answer.broken, answer.broken.files));
    this.#next();
    // A second one is kept no longer than there is something for it.
    if (this.#threads.length > 1 && thread.at === undefined) void this.#lose(thread, '');
  }

  async #lose(thread: Thread, why: string): Promise<void> {
    if (!this.#threads.includes(thread)) return;
    this.#threads = this.#threads.filter((other) => other !== thread);
    clearTimeout(thread.timer);
    if (thread.at) giveUp(thread.at, why);
    this.#next();
    await thread.worker.terminate();
  }
}

function giveUp({ fail }: Order, why: string): void {
  fail(new GatekeeperError('GK_POLICY_INVALID', { what: `the policy could not be compiled: ${why}` }));
}

/** Hostile patterns are refused after seconds of work; a loaded machine may make much more of them. */
const LONGEST_MS = 60_000;
const LARGEST_MEMORY_MB = 1024;
const MOST_THREADS = 2;
/** Most policies take less. */
const PATIENCE_MS = 1000;
