import { readLog } from './read.ts';
import { listSegments } from './segments.ts';

/** The key that signs at the end of the log, base64, as the log itself says; undefined for a log without entries. Reads the last file with entries alone. */
export function keyOfLog(directory: string): string | undefined {
  for (const segment of listSegments(directory).reverse()) {
    let key: string | undefined;
    for (const lines of readLog(directory, segment)) {
      for (const { text, torn } of lines)
        if (!torn && text !== undefined && NAMES_KEY.test(text)) key = keyIn(text) ?? key;
    }
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
