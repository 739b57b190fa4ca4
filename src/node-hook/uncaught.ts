import { refusalOf } from './refused-errors.ts';

/**
 * The preload library prints a line for every refusal. In a program without it (its variable was taken away) the refusals that end the program are
 * explained here, in the same words; those that it deals with itself are its own matter.
 */
export function speakWhenNobodyElseDoes(preloaded: string): void {
  if (preloaded.includes(LIBRARY)) return;
  process.on('uncaughtExceptionMonitor', (error) => {
    try {
      speakOf(error);
    } catch {
      // Standard error may be closed.
    }
  });
}

function speakOf(error: unknown): void {
  const refusal = refusalOf(error);
  if (!refusal || isRawTerminal() || isLoaded() || !mayPrint(`${refusal.action} ${refusal.target}`)) return;
  const { lineFor } = require('./explain.cjs') as typeof import('./explain.ts');
  const { writeSync } = require('node:fs') as typeof import('node:fs');
  writeSync(2, `${lineFor(refusal)}\n`);
}

/** A program that goes on in spite of errors says the same once a minute, and after eight lines one a second. */
function mayPrint(subject: string): boolean {
  const now = performance.now();
  if (now - (printed.get(subject) ?? Number.NEGATIVE_INFINITY) < 60_000) return false;
  if (printed.size >= 8 && now - last < 1000) return false;
  last = now;
  printed.set(subject, now);
  return true;
}

const isRawTerminal = (): boolean => process.stderr.isTTY && process.stdin.isRaw;

function isLoaded(): boolean {
  const { readFileSync } = require('node:fs') as typeof import('node:fs');
  return readFileSync('/proc/self/maps', 'latin1').includes(LIBRARY);
}

const printed = new Map<string, number>();
let last = Number.NEGATIVE_INFINITY;
const LIBRARY = '/libgk-hook.so';
