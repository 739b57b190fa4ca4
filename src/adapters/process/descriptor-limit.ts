import { readFileSync } from 'node:fs';

/**
 * How many descriptors this process may have open. Node raises the soft limit to the hard one when it starts, so this is the latter. Where it cannot
 * be read it is taken to be the least that distributions set.
 */
export function descriptorLimit(): number {
  try {
    const [, soft = ''] = /^Max open files +(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    return soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number.parseInt(soft, 10) || LEAST;
  } catch {
    return LEAST;
  }
}

const LEAST = 1024;
