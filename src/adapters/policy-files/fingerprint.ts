import { type BigIntStats, closeSync, constants, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { sha256 } from './digest.ts';
import { LARGEST_POLICY_BYTES } from './read-file.ts';

/**
 * What tells one content of a file from another; of a directory, of all `*.yaml` in it. Never waits and never reads more than a policy may have:
 * whatever else stands in the file's place (a FIFO, a device, something huge) is known by what the kernel says of it.
 */
export function fingerprint(path: string): string {
  return ofEach(path, (file) => {
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const stat = fstatSync(fd, { bigint: true });
      if (!stat.isFile() || stat.size > LARGEST_POLICY_BYTES) return stampOf(stat);
      const bytes = Buffer.alloc(Number(stat.size) + 1);
      const content = sha256(bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0)));
      return [content, stat.mode, stat.uid, stat.gid].join(':'); // who may write it decides as well
    } finally {
      closeSync(fd);
    }
  });
}

/** A cheap look that opens nothing: when it is what it was, the content is too, but for changes within one tick of the kernel's clock. */
export function stamp(path: string): string {
  return ofEach(path, (file) => stampOf(statSync(file, { bigint: true })));
}

function ofEach(path: string, of: (file: string) => string): string {
  try {
    if (!statSync(path).isDirectory()) return of(path);
    const names = readdirSync(path).filter((name) => name.endsWith('.yaml'));
    return names
      .sort()
      .map((name) => `${name} ${ofEach(`${path}/${name}`, of)}`)
      .join('\n');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

function stampOf({ dev, ino, mode, uid, gid, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, mode, uid, gid, size, mtimeNs, ctimeNs].join(':');
}
