import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { temporaryDirectory } from './temporary-directory.ts';

/** A file system of its own with little room, in a mount namespace of the test's: for what a full disk does. */
export type SmallDisk = {
  /** Its root, reached from outside of the namespace. */
  directory: string;
  /** Takes all the room that is left. */
  fill(): void;
  /** Gives it back. */
  empty(): void;
  close(): void;
};

/** Why there is none here; undefined when there can be one. An ordinary user needs user namespaces for it. */
export function smallDiskRefused(): string | undefined {
  const tried = spawnSync('unshare', [...OWN_MOUNTS, 'mount', '-t', 'tmpfs', 'tmpfs', '/tmp'], { encoding: 'utf8' });
  return tried.status === 0 ? undefined : tried.stderr || String(tried.error);
}

export async function openSmallDisk(bytes: number): Promise<SmallDisk> {
  const place = temporaryDirectory();
  const script = `mount -t tmpfs -o size=${bytes},mode=700 tmpfs "$0" && echo ready && exec cat >/dev/null`;
  // It lasts as long as the pipe, also when the tests are killed.
  const holder = spawn('unshare', [...OWN_MOUNTS, 'sh', '-c', script, place], { stdio: ['pipe', 'pipe', 'inherit'] });
  await ready(holder);
  const directory = `/proc/${holder.pid}/root${place}`;
  const ballast = `${directory}/ballast`;
  mkdirSync(`${directory}/log`, { mode: 0o700 });
  return {
    directory: `${directory}/log`,
    fill: () => {
      for (let size = 64 * 1024; size >= 1024; ) {
        try {
          writeFileSync(ballast, Buffer.alloc(size, 1), { flag: 'a' });
        } catch {
          size /= 2;
        }
      }
    },
    empty: () => rmSync(ballast, { force: true }),
    close: () => holder.stdin?.destroy(),
  };
}

async function ready(holder: ChildProcess): Promise<void> {
  await Promise.race([
    once(holder.stdout!, 'data'),
    once(holder, 'exit').then(() => Promise.reject(new Error('the disk was not made'))),
  ]);
}

const IS_ROOT = process.getuid?.() === 0;
const OWN_MOUNTS = [...(IS_ROOT ? [] : ['--user', '--map-current-user', '--keep-caps']), '--mount', '--'];
