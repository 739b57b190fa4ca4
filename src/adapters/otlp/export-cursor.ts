import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { writeFileAtomic } from '../process/atomic-file.ts';

/** Up to which entry of which log a receiver has taken everything. */
export type ExportCursor = { log: string; seq: number };

/** Undefined when there is none yet. @throws GatekeeperError (GK_EXPORT) for a file that is something else */
export function readCursor(path: string): ExportCursor | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(path, cause);
  }
  try {
    const { version, log, seq } = JSON.parse(text) as Record<string, unknown>;
    if (version === 1 && typeof log === 'string' && Number.isSafeInteger(seq)) return { log, seq: seq as number };
  } catch {
    // Said below.
  }
  throw unusable(path, undefined);
}

/** Whole or not at all, so that a crash leaves the one before. */
export function writeCursor(path: string, { log, seq }: ExportCursor): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileAtomic(path, `${JSON.stringify({ version: 1, log, seq })}\n`);
  } catch (cause) {
    throw unusable(path, cause);
  }
}

function unusable(where: string, cause: unknown): GatekeeperError {
  const what = 'the file that tells how far was sent cannot be used';
  return new GatekeeperError('GK_EXPORT', { what, where, remedy: 'remove it, or name another: --cursor FILE', cause });
}
