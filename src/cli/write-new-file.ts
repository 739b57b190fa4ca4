import { writeFileSync } from 'node:fs';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';

/** Never over a file that exists. */
export function writeNewFile(path: string, content: string | Uint8Array): void {
  try {
    writeFileSync(path, content, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'EEXIST' ? 'it exists already' : message;
    throw new GatekeeperError('GK_OUTPUT', { what: `the file cannot be written: ${why}`, where: path, cause });
  }
}
