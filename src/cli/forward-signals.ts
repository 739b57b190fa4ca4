import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Hands signals on to the child until the returned function is called; this process must outlive it, for the status. Signals of
 * terminal keys reach the child by themselves when it is in the terminal's foreground group with us, and are not doubled then.
 */
export function forwardSignals(child: ChildProcess): () => void {
  const forward = (signal: NodeJS.Signals): void => {
    if (FROM_KEYS.has(signal) && isForeground()) return;
    child.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  return () => {
    for (const signal of FORWARDED) process.off(signal, forward);
  };
}

/** proc(5): after the name in parentheses come state, ppid, pgrp, session, tty_nr, tpgid. */
function isForeground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[4] !== '0' && fields[2] === fields[5];
  } catch {
    return false;
  }
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
const FROM_KEYS: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT']);
