import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { fingerprint, stamp } from './fingerprint.ts';
import { realPath } from './roots.ts';

export type PolicyWatch = {
  /**
   * Watches these files from now on, and none else. Returns those that it did not watch before. `urgent`: somebody is under these policies now, so that
   * what the kernel does not report is looked for often.
   */
  follow(files: readonly string[], urgent?: boolean): ReadonlySet<string>;
  close(): Promise<void>;
};

/**
 * Tells when the content of policy files changes, appears or goes away. Directories are watched rather than files, because editors replace
 * files and a re-pointed symbolic link changes none; an event only asks for a look, and the content decides.
 *
 * @param files as in LoadedPolicy.files; a directory stands for all `*.yaml` in it
 * @param onChange gets those that changed
 */
export function watchPolicyFiles(
  files: readonly string[],
  onChange: (changed: ReadonlySet<string>) => void,
): PolicyWatch {
  return new Watch(files, onChange);
}

class Watch implements PolicyWatch {
  readonly #onChange: (changed: ReadonlySet<string>) => void;
  readonly #watcher: FSWatcher;
  /** What is watched, and the names in it that matter. */
  #directories = new Set<string>();
  #names = new Set<string>();
  #known = new Map<string, string>();
  #stamps = new Map<string, string>();
  #heartbeat: NodeJS.Timeout | undefined;
  #pace = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(files: readonly string[], onChange: (changed: ReadonlySet<string>) => void) {
    this.#onChange = onChange;
    // A watched directory may be a run's workspace: without `ignored` everything that the run makes in it would cost memory and kernel watches.
    const ignored = (path: string) => !this.#directories.has(path) && !this.#names.has(path) && !this.#isListed(path);
    this.#watcher = watch([], { followSymlinks: false, depth: 0, ignoreInitial: true, persistent: false, ignored });
    this.#watcher.on('all', () => this.#soon());
    // What is created between the first look and the moment when the kernel reports changes would be missed.
    this.#watcher.on('ready', () => this.#soon());
    this.#watcher.on('error', () => this.#soon());
    this.follow(files);
  }

  follow(files: readonly string[], urgent = true): ReadonlySet<string> {
    const fresh = new Set(files.filter((file) => !this.#known.has(file)));
    const names = files.flatMap((file) => [file, realPath(file)]);
    const before = this.#directories;
    this.#names = new Set(names);
    this.#directories = new Set(names.map(directoryOf));
    this.#watcher.unwatch([...before].filter((directory) => !this.#directories.has(directory)));
    this.#watcher.add([...this.#directories].filter((directory) => !before.has(directory)));
    this.#known = new Map(files.map((file) => [file, this.#known.get(file) ?? fingerprint(file)]));
    this.#beat(urgent ? HEARTBEAT_MS : IDLE_MS);
    this.#soon();
    return fresh;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    clearInterval(this.#heartbeat);
    await this.#watcher.close();
  }

  /** The kernel's reports can be missed: no watches left, a network file system, a directory that appears above. */
  #beat(everyMs: number): void {
    if (this.#pace === everyMs) return;
    this.#pace = everyMs;
    clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => this.#glance(), everyMs).unref();
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, SETTLE_MS);
  }

  /** Asks for a look when something has another stamp than at the last glance. */
  #glance(): void {
    const stamps = new Map([...this.#known.keys()].map((file) => [file, stamp(file)]));
    const moved = [...stamps].some(([file, now]) => this.#stamps.get(file) !== now);
    this.#stamps = stamps;
    if (moved) this.#soon();
  }

  /** In a directory of policies. */
  #isListed(path: string): boolean {
    return path.endsWith('.yaml') && this.#names.has(dirname(path));
  }

  #look(): void {
    const changed = new Set<string>();
    for (const [file, before] of this.#known) {
      const now = fingerprint(file);
      if (now !== before) changed.add(file);
      this.#known.set(file, now);
    }
    if (changed.size > 0) this.#onChange(changed);
  }
}

function directoryOf(path: string): string {
  try {
    return statSync(path).isDirectory() ? path : dirname(path);
  } catch {
    return dirname(path);
  }
}

/** Editors write in several steps. */
const SETTLE_MS = 20;
const HEARTBEAT_MS = 50;
const IDLE_MS = 1000;
