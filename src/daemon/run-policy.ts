import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFileAtomic } from '../adapters/process/atomic-file.ts';
import type { CreateRunRequest } from '../core/contract/control-api.ts';
import type { LaunchTerms } from '../core/policy/launch-terms.ts';
import type { Hints } from '../core/policy/static-region.ts';

/** What the layers for one run compile to. */
export type CompiledPolicy = {
  name: string;
  image: Uint8Array;
  warnings: readonly string[];
  /** Absolute paths, those too whose absence was taken into account. */
  files: readonly string[];
  /** The user's own file among them, where it is not a preset that speaks. */
  userFile?: string | undefined;
  /** How a run under it starts. */
  launch: LaunchTerms;
  /** What its programs may open without asking, as far as the policy goes. */
  hints: Hints;
  /** When the first of the grants in it ends, in milliseconds of CLOCK_BOOTTIME. */
  grantsEndAt?: number | undefined;
};
/** `cacheSlot`: which of the places for private caches is the run's. `run`: its identifier, once it has one. */
export type CompilePolicy = (
  request: CreateRunRequest,
  cacheSlot: number,
  run?: string,
) => CompiledPolicy | Promise<CompiledPolicy>;

export type ImageRule = { label: string; reason: string };

/**
 * Policy images by digest (`sha256:…`). Their files are never changed: a supervisor maps them. They stay as long as the log names them or a run
 * judges by them.
 */
export class Images<Image> {
  readonly #directory: string;
  readonly #open: (bytes: Uint8Array, digest: string) => Image;
  readonly #ruleOf: (image: Image, index: number) => ImageRule | undefined;
  readonly #loaded = new Map<string, Image>();
  /** When each was last asked to be there, by a clock that only goes on: its name may be on the way into the log. */
  readonly #stored = new Map<string, number>();

  constructor(
    directory: string,
    open: (bytes: Uint8Array, digest: string) => Image,
    ruleOf: (image: Image, index: number) => ImageRule | undefined,
  ) {
    this.#directory = directory;
    this.#open = open;
    this.#ruleOf = ruleOf;
  }

  path(digest: string): string {
    return `${this.#directory}/${bareDigest(digest)}.gkimg`;
  }

  /** Validates the image by opening it, and writes it where supervisors read it. */
  store(bytes: Uint8Array): string {
    const digest = sha256Of(bytes);
    this.#stored.set(digest, performance.now());
    if (!this.#loaded.has(digest)) this.#keep(digest, this.#open(bytes, bareDigest(digest)));
    const path = this.path(digest);
    if (!existsSync(path) || sha256Of(readFileSync(path)) !== digest) writeFileAtomic(path, bytes, { durable: true });
    return digest;
  }

  /**
   * Removes the files of all others.
   * @param named all that the log names, as read from `since` on (performance.now()), and all that runs judge by
   * @returns how many went
   */
  sweep(named: ReadonlySet<string>, since: number): number {
    for (const [digest, at] of this.#stored) if (at < since - SETTLED_MS) this.#stored.delete(digest);
    const gone = readdirSync(this.#directory).filter((file) => {
      const digest = /^([0-9a-f]{64})\.gkimg$/.exec(file)?.[1];
      return digest !== undefined && !named.has(`sha256:${digest}`) && !this.#stored.has(`sha256:${digest}`);
    });
    for (const file of gone) rmSync(`${this.#directory}/${file}`, { force: true });
    return gone.length;
  }

  /** Undefined when the image is gone or is not what its name says. */
  bytes(digest: string): Uint8Array | undefined {
    try {
      const bytes = readFileSync(this.path(digest));
      return sha256Of(bytes) === digest ? bytes : undefined;
    } catch {
      return undefined;
    }
  }

  /** As `bytes`, opened. */
  get(digest: string): Image | undefined {
    const loaded = this.#loaded.get(digest);
    if (loaded !== undefined) return loaded;
    const bytes = this.bytes(digest);
    try {
      return bytes && this.#keep(digest, this.#open(bytes, bareDigest(digest)));
    } catch {
      return undefined;
    }
  }

  /** The digest of an image that came from here. */
  digestOf(image: Image): string | undefined {
    for (const [digest, loaded] of this.#loaded) if (loaded === image) return digest;
    return undefined;
  }

  rule(digest: string, index: number): ImageRule | undefined {
    const image = this.get(digest);
    return image === undefined ? undefined : this.#ruleOf(image, index);
  }

  #keep(digest: string, image: Image): Image {
    this.#loaded.set(digest, image);
    if (this.#loaded.size > MOST_LOADED) this.#loaded.delete(this.#loaded.keys().next().value!);
    return image;
  }
}

/** Within this an image that is stored is named in the log or never will be. */
const SETTLED_MS = 60_000;
/** More than runs at a time. */
const MOST_LOADED = 256;
const bareDigest = (digest: string) => digest.replace('sha256:', '');
const sha256Of = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
