import { readLines } from './line-reader.ts';
import { readLog } from './read.ts';
import { listSegments, segmentPath } from './segments.ts';

/** The keys that the log names, base64, in their order: whether they may is for a verifier to say. Reads all of the log. */
export function keysOfLog(directory: string): string[] {
  const keys = new Set<string>();
  for (const lines of readLog(directory)) {
    for (const { text, torn } of lines) {
      const key = !torn && text !== undefined && NAMES_KEY.test(text) ? keyIn(text) : undefined;
      if (key !== undefined) keys.add(key);
    }
  }
  return [...keys];
}

/** The key that signs at the end of the log, base64, as the log itself says; undefined for a log without entries. Reads the last file with entries alone. */
export function keyOfLog(directory: string): string | undefined {
  for (const segment of listSegments(directory).reverse()) {
    let key: string | undefined;
    readLines(segmentPath(directory, segment), (line) => {
      // As text only where it may be one: most entries are of files.
      if (NAMES_KEY.test(line.toString('latin1', 0, LONGEST_NAME))) key = keyIn(line.toString()) ?? key;
    });
    if (key !== undefined) return key;
  }
  return undefined;
}

function keyIn(line: string): string | undefined {
  try {
    const { key } = JSON.parse(line) as Record<string, unknown>;
    return typeof key === 'string' ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Canonical form begins with the action. */
const NAMES_KEY = /^\{"action":"(?:log_start|segment|key_change)"/;
const LONGEST_NAME = 24;
