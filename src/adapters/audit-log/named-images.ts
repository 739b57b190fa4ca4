import { open } from 'node:fs/promises';
import { listSegments, segmentPath } from './segments.ts';

/**
 * Which policy images the log names (`sha256:…`), wherever in an entry. Files that are full are read once for all; reads in small steps with all other work in
 * between, and closes its eyes to files that are removed meanwhile.
 */
export class NamedImages {
  readonly #directory: string;
  readonly #full = new Map<number, ReadonlySet<string>>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  async read(): Promise<ReadonlySet<string>> {
    const segments = listSegments(this.#directory);
    for (const known of this.#full.keys()) if (known < (segments[0] ?? 0)) this.#full.delete(known);
    const named = new Set<string>();
    for (const segment of segments) {
      const own = this.#full.get(segment) ?? (await namedIn(segmentPath(this.#directory, segment)));
      if (segment !== segments.at(-1)) this.#full.set(segment, own);
      for (const digest of own) named.add(digest);
    }
    return named;
  }
}

async function namedIn(path: string): Promise<ReadonlySet<string>> {
  const named = new Set<string>();
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return named;
  try {
    const bytes = Buffer.allocUnsafe(STEP_BYTES);
    let rest = '';
    for (;;) {
      const { bytesRead } = await file.read(bytes, 0, bytes.length);
      if (bytesRead === 0) return named;
      const text = rest + bytes.toString('latin1', 0, bytesRead);
      for (const [digest] of text.matchAll(DIGEST)) named.add(digest);
      rest = text.slice(-DIGEST_LENGTH + 1); // one may lie across two steps
    }
  } finally {
    await file.close();
  }
}

const STEP_BYTES = 128 * 1024;
const DIGEST = /sha256:[0-9a-f]{64}/g;
const DIGEST_LENGTH = 'sha256:'.length + 64;
