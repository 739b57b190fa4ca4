import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { PolicyImage } from '../core/engine/image.ts';
import { ImageError } from '../core/engine/image-error.ts';
import type { RecordedImage } from '../core/replay/replay.ts';
import { ownHome } from './home.ts';

/** Why an image cannot decide again. */
export type NoImage = { why: string };

/** The images that receipts name, by digest: beside the log, as in a bundle or a state directory, or among this user's own. */
export class RecordedImages {
  readonly #directories: readonly string[];
  /** Entry after entry names the same. */
  #last: { policy: string | undefined; found: RecordedImage | NoImage } | undefined;
  /** The latest last. */
  readonly #open = new Map<string, RecordedImage | NoImage>();

  constructor(log: string) {
    this.#directories = [...new Set([`${log}/images`, `${dirname(log)}/images`, ownHome().images])];
  }

  /** @param policy as receipts name it, `sha256:…` */
  get(policy: string | undefined): RecordedImage | NoImage {
    if (!this.#last || this.#last.policy !== policy) this.#last = { policy, found: this.#find(policy) };
    return this.#last.found;
  }

  #find(policy: string | undefined): RecordedImage | NoImage {
    const digest = /^sha256:([0-9a-f]{64})$/.exec(policy ?? '')?.[1];
    if (digest === undefined) return { why: 'the entry names no image' };
    const known = this.#open.get(digest) ?? this.#read(digest);
    this.#open.delete(digest);
    this.#open.set(digest, known);
    if (this.#open.size > MOST_OPEN) this.#open.delete(this.#open.keys().next().value!);
    return known;
  }

  #read(digest: string): RecordedImage | NoImage {
    let why = 'it is not there';
    for (const directory of this.#directories) {
      const path = `${directory}/${digest}.gkimg`;
      try {
        const bytes = readFileSync(path);
        if (createHash('sha256').update(bytes).digest('hex') === digest) return opened(bytes, digest);
        why = `${path} has other bytes than its name says`;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (error instanceof ImageError) why = `${path} is not understood: ${error.message}`;
        else if (code === undefined) throw error;
        else if (code !== 'ENOENT' && code !== 'ENOTDIR') why = `${path} cannot be read (${code})`;
      }
    }
    return { why };
  }
}

/** An image whose grants end when the one who asks says so. */
export function opened(bytes: Uint8Array, digest: string): RecordedImage {
  const clock = { seconds: 0 };
  return { image: PolicyImage.open(bytes, digest, () => clock.seconds), clock };
}

/** Each a few megabytes at most. */
const MOST_OPEN = 32;
