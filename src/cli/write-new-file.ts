import { writeFileSync } from 'node:fs';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { whyNotWritten } from './why-not-written.ts';

/** Never over a file that exists. */
export function writeNewFile(path: string, content: string | Uint8Array): void {
  try {
    writeFileSync(path, content, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    throw new GatekeeperError('GK_OUTPUT', {
      what: `the file cannot be written: ${whyNotWritten(cause)}`,
      where: path,
      remedy: 'name another one',
      cause,
    });
  }
}
