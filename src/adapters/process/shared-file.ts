import { readFileSync } from 'node:fs';
import { writeFileAtomic } from './atomic-file.ts';
import { takeLock } from './lock-file.ts';

/** The file's text, or undefined when there is none. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Replaces a file by what `change` makes of it, one process at a time: what two of them write at once is both there. Readers need no lock.
 * @param change gets the text, undefined when there is no file; what it throws leaves the file as it is
 */
export function changeFile(path: string, change: (text: string | undefined) => string): void {
  const lock = awaitLock(`${path}.lock`);
  try {
    writeFileAtomic(path, change(readIfThere(path)), { durable: true });
  } finally {
    lock.release();
  }
}

function awaitLock(path: string): { release: () => void } {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const lock = takeLock(path);
    if ('release' in lock) return lock;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
  throw new Error(`another process holds ${path}`);
}

const ATTEMPTS = 200;
const PAUSE_MS = 10;
