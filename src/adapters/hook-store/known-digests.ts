import { createHash } from 'node:crypto';
import { type BigIntStats, lstatSync, readFileSync } from 'node:fs';

/** A file as it was when it was read. */
export type ReadFile = { digest: string; bytes: Buffer };

/** Digests of files that are asked for often: a file is read again only when the kernel says that it is not the one that was read. */
export class KnownDigests {
  readonly #known = new Map<string, { fingerprint: string; digest: string }>();

  /** Undefined when it is no plain file, or cannot be read. `fits` looks at it before. */
  of(path: string, fits: (stat: BigIntStats) => boolean = () => true): string | undefined {
    const stat = plainFile(path);
    if (stat === undefined || !fits(stat)) return undefined;
    const fingerprint = fingerprintOf(stat);
    const known = this.#known.get(path);
    if (known?.fingerprint === fingerprint) return known.digest;
    const digest = readWhole(path)?.digest;
    // Written to while it was read: the next look reads it again.
    const after = plainFile(path);
    if (digest === undefined || after === undefined || fingerprintOf(after) !== fingerprint) return digest;
    // A second change within one tick of the kernel's clock would leave the same times.
    if (Math.abs(Date.now() - Number(stat.ctimeMs)) > TICK_MS) this.#known.set(path, { fingerprint, digest });
    return digest;
  }
}

export function readWhole(path: string): ReadFile | undefined {
  try {
    const bytes = readFileSync(path);
    return { bytes, digest: createHash('sha256').update(bytes).digest('hex') };
  } catch {
    return undefined;
  }
}

function plainFile(path: string): BigIntStats | undefined {
  try {
    const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return stat?.isFile() && stat.size <= MOST_BYTES ? stat : undefined;
  } catch {
    return undefined;
  }
}

/** The change time is the kernel's own; nobody can set it back. */
const fingerprintOf = ({ dev, ino, size, mode, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, size, mode, mtimeNs, ctimeNs].join();

const TICK_MS = 100;
const MOST_BYTES = 16n * 1024n * 1024n;
