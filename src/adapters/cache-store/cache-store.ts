import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  utimesSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { ensurePrivateDirectory } from '../process/private-directory.ts';
import { O_PATH, throughDescriptor } from './pinned.ts';
import { MOVED, removeTree } from './remove-tree.ts';

/** The directories that runs get in place of the user's caches: `run-N` while a run goes on, `workspace-HASH` for good. */
export class CacheStore {
  readonly #root: string;
  readonly #taken = new Set<number>();
  readonly #say: (line: string) => void;

  /** @param root a directory of its own; made when the first cache is */
  constructor(root: string, say: (line: string) => void) {
    this.#root = root;
    this.#say = say;
  }

  /** The lowest free number, taken until it is released. */
  take(): number {
    let slot = 1;
    while (this.#taken.has(slot)) slot++;
    this.#taken.add(slot);
    return slot;
  }

  /** The number of a run that an earlier daemon started. */
  keep(slot: number): void {
    this.#taken.add(slot);
  }

  /**
   * Makes a cache directory, 0700. What is left of an earlier run in a place for one run goes first; so does what an earlier run put where a
   * directory belongs. Runs of the same workspace may be at work above it: nothing is done through a name that they can turn elsewhere.
   */
  prepare(directory: string, { empty }: { empty: boolean }): void {
    ensurePrivateDirectory(this.#root);
    if (empty) this.#discard(directory);
    const above = hold(dirname(directory));
    try {
      const path = `${throughDescriptor(above)}${basename(directory)}`;
      if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false) this.#discard(path);
      makeUnlessThere(path);
      const made = hold(path);
      try {
        const now = new Date();
        chmodSync(throughDescriptor(made), 0o700);
        utimesSync(throughDescriptor(made), now, now); // last use, for `sweep`
      } finally {
        closeSync(made);
      }
    } finally {
      closeSync(above);
    }
  }

  /** The run is over: its caches go. */
  release(slot: number): void {
    if (!this.#taken.delete(slot)) return;
    this.#discard(`${this.#root}/run-${slot}`);
  }

  /** Removes what no run uses any more: places of runs that are over, and workspaces where nothing ran for a month. */
  sweep(now: number): void {
    if (!existsSync(this.#root)) return;
    for (const name of readdirSync(this.#root)) {
      const path = `${this.#root}/${name}`;
      const [, slot] = /^run-([1-9][0-9]*)$/.exec(name) ?? [];
      if (name.startsWith(MOVED)) this.#remove(path);
      else if (slot !== undefined && !this.#taken.has(Number(slot))) this.#discard(path);
      else if (/^workspace-[0-9a-f]{32}$/.test(name) && lstatSync(path).mtimeMs < now - UNUSED_MS) this.#discard(path);
    }
  }

  /** Out of the way at once, and gone soon. */
  #discard(directory: string): void {
    if (!lstatSync(directory, { throwIfNoEntry: false })) return;
    const trash = `${this.#root}/${MOVED}${randomBytes(8).toString('hex')}`;
    try {
      renameSync(directory, trash);
    } catch (error) {
      this.#say(`a cache cannot be removed: ${error}`);
      return;
    }
    this.#remove(trash);
  }

  #remove(trash: string): void {
    removeTree(trash).catch((error) => this.#say(`a cache cannot be removed: ${error}`));
  }
}

/** Fails at a link. */
const hold = (path: string): number => openSync(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);

function makeUnlessThere(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

const UNUSED_MS = 30 * 24 * 3_600_000;
