import { readFileSync } from 'node:fs';

/**
 * A process that cannot be mistaken for a later one with the same number: its start time in clock ticks since boot, and the boot.
 */
export type ProcessIdentity = { pid: number; startTime: string; boot: string };

/** The identity of a live process, or undefined when there is none (a zombie is none: nothing of it runs any more). */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  // The name in parentheses may hold anything, blanks and parentheses too: what counts comes after the last one.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields?.[0];
  const startTime = fields?.[19];
  if (startTime === undefined || state === 'Z' || state === 'X') return undefined;
  return { pid, startTime, boot: bootId() };
}

export function isAlive(identity: ProcessIdentity): boolean {
  const now = processIdentity(identity.pid);
  return now !== undefined && now.startTime === identity.startTime && now.boot === identity.boot;
}

/** Arguments of a live process; empty when it is gone or has none. */
export function processArguments(pid: number): string[] {
  const text = readProc(`/proc/${pid}/cmdline`) ?? '';
  return text === '' ? [] : text.replace(/\0$/, '').split('\0');
}

export function bootId(): string {
  boot ??= readProc('/proc/sys/kernel/random/boot_id')?.trim() ?? 'unknown';
  return boot;
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

let boot: string | undefined;
