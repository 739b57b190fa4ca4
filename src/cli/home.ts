import { isUtf8 } from 'node:buffer';
import { readlinkSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type HomeLayout, homeLayout } from '../core/contract/home-layout.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';

/** Where this user's gatekeeper lives; the home directory is the password database's. */
export function ownHome(): HomeLayout {
  const { homedir, uid } = userInfo();
  return homeLayout({ passwdHome: homedir, uid, env: process.env });
}

/** The directory of this build. */
export const installation = (): URL => new URL('../../', import.meta.url);

/** What belongs to this build: the daemon's entry module, the presets, the supervisor. */
export const daemonEntry = (): string => fileURLToPath(new URL('../daemon/main.js', import.meta.url));
export const presetDirectory = (): string => fileURLToPath(new URL('../../policies', import.meta.url));
export const supervisorPath = (): string =>
  fileURLToPath(new URL('../../native-hooks/build/gk-supervise', import.meta.url));

/** The working directory as the user named it ($PWD when that is true), since rules for `./` hold for both of its names. */
export function workingDirectory(): string {
  const named = process.env['PWD'];
  try {
    const real = process.cwd();
    if (real.includes('\ufffd') && !isUtf8(readlinkSync('/proc/self/cwd', 'buffer'))) throw notUtf8();
    return named?.startsWith('/') && isSameDirectory(named, real) ? named : real;
  } catch (cause) {
    if (cause instanceof GatekeeperError) throw cause;
    throw new GatekeeperError('GK_USAGE', {
      what: 'the working directory no longer exists',
      remedy: 'change to one that does',
      cause,
    });
  }
}

/** Node knows such a directory only by another name: rules for `./` would hold elsewhere, and the project's own policy would not be found. */
function notUtf8(): GatekeeperError {
  return new GatekeeperError('GK_USAGE', {
    what: 'the name of the working directory is not valid UTF-8',
    remedy: 'rename it, or change to another',
  });
}

function isSameDirectory(one: string, other: string): boolean {
  try {
    const [a, b] = [statSync(one), statSync(other)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}
