import { parentPort, workerData } from 'node:worker_threads';
import { type SoundFile, verifyFile } from './verify-file.ts';

export type VerifyStart = { directory: string; watched: readonly number[] };
export type VerifyAnswer = { entries: number; bytes: number } | { file: number; sound: SoundFile | undefined };

/** The thread that checks whole files by themselves. What it cannot read it leaves to the one that asked. */
const { directory, watched } = workerData as VerifyStart;
parentPort!.on('message', (file: number) => parentPort!.postMessage(answer(file)));

function answer(file: number): VerifyAnswer {
  try {
    const progress = (entries: number, bytes: number) => parentPort!.postMessage({ entries, bytes });
    return { file, sound: verifyFile(directory, file, watched, progress) };
  } catch {
    return { file, sound: undefined };
  }
}
