import { parentPort, workerData } from 'node:worker_threads';
import { BrokenPolicy } from '../adapters/policy-files/broken-policy.ts';
import type { CreateRunRequest } from '../core/contract/control-api.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import type { ErrorCode } from '../core/errors/catalogue.ts';
import { compileNow, type PolicyUser } from './compile-policy.ts';
import type { CompiledPolicy } from './run-policy.ts';

export type WorkerStart = { layout: HomeLayout; user: PolicyUser };
export type CompileOrder = { id: number; request: CreateRunRequest; cacheSlot: number; run?: string | undefined };
export type CompileAnswer = { id: number } & ({ compiled: CompiledPolicy } | { broken: Broken });
/** An error in a form that passes between threads. */
export type Broken = { code: ErrorCode; what: string; where: string; remedy: string; files: readonly string[] };

/** The thread that compiles policies: it may take its time, and may fail, while the daemon goes on relaying and answering. */
const { layout, user } = workerData as WorkerStart;
parentPort!.on('message', (order: CompileOrder) => parentPort!.postMessage(answer(order)));

function answer({ id, request, cacheSlot, run }: CompileOrder): CompileAnswer {
  try {
    return { id, compiled: compileNow(layout, user, request, cacheSlot, run) };
  } catch (error) {
    if (!(error instanceof BrokenPolicy)) throw error;
    const { code, what, where, remedy, files } = error;
    return { id, broken: { code, what, where, remedy, files } };
  }
}
