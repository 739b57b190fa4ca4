import { createHash, randomBytes } from 'node:crypto';
import {
  accessSync,
  type BigIntStats,
  chmodSync,
  constants,
  lstatSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunHooks } from '../../core/contract/control-api.ts';
import { canBePreloaded } from '../../core/contract/hook-variables.ts';
import { ensurePrivateDirectory } from '../process/private-directory.ts';
import { KnownDigests, readWhole } from './known-digests.ts';

/** Where an installation has the library, and the directory of what Node loads: the interceptor and what that loads itself. */
export type HookSources = { library: string; scripts: string };

export const hookSources = (installation: URL): HookSources => ({
  library: fileURLToPath(new URL(`native-hooks/build/${LIBRARY}`, installation)),
  scripts: fileURLToPath(new URL('dist/node-hook', installation)),
});

/** The hooks of a run that starts now: the name of their directory, its path, what in it can be loaded, and one line about what cannot. */
export type Provided = { name?: string; directory?: string; hooks: RunHooks; problem?: string };

/**
 * The hooks as runs load them: copies in a directory that is called for their content, so that an update of the installation changes nothing beneath a run,
 * and that no run can write. Nothing depends on them but explanations and speed: whatever goes wrong here costs those alone.
 */
export class HookStore {
  readonly #root: string;
  readonly #sources: HookSources;
  #current: string | undefined;
  readonly #digests = new KnownDigests();

  /** @param root a directory of its own; made when it is needed */
  constructor(root: string, sources: HookSources) {
    this.#root = root;
    this.#sources = sources;
  }

  /** Sees to it that the copies are what the installation has. Costs a look at each file while nothing has changed. */
  provide(): Provided {
    const problems: string[] = [];
    const wanted = this.#wanted(problems);
    if (wanted.length === 0) return { hooks: {}, ...asOne(problems) };
    const name = nameFor(wanted);
    this.#current = name;
    const directory = `${this.#root}/${name}`;
    try {
      if (!this.#isWhole(directory, wanted)) this.#put(directory, wanted);
    } catch (error) {
      return { hooks: {}, ...asOne([`they cannot be put into ${directory}: ${messageOf(error)}`]) };
    }
    const has = (file: string) => wanted.some((one) => one.file === file);
    const hooks: RunHooks = has(SCRIPT) ? { script: `${directory}/${SCRIPT}` } : {};
    const problem = has(LIBRARY) ? unloadable(`${directory}/${LIBRARY}`) : undefined;
    if (problem !== undefined) problems.push(problem);
    else if (has(LIBRARY)) hooks.library = `${directory}/${LIBRARY}`;
    return { name, directory, hooks, ...asOne(problems) };
  }

  /** The files of the installation that are missing, or that somebody else may change. */
  unsafeSources(): string[] {
    const { library, scripts } = this.#sources;
    return [library, `${scripts}/${SCRIPT}`].filter((source) => {
      const stat = lstatSync(source, { throwIfNoEntry: false });
      return !stat?.isFile() || (stat.mode & 0o022) !== 0 || (stat.uid !== 0 && stat.uid !== process.getuid?.());
    });
  }

  /** Directories of copies whose content is not what their name says. */
  harmed(): string[] {
    return namesIn(this.#root).filter((name) => {
      const files = namesIn(`${this.#root}/${name}`).sort((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1));
      const found = files.map((file) => ({ file, digest: this.#digests.of(`${this.#root}/${name}/${file}`) }));
      return nameFor(found) !== name;
    });
  }

  /** Removes those of earlier installations that no run uses any more. */
  sweep(used: ReadonlySet<string>): void {
    for (const name of namesIn(this.#root)) {
      if (name === this.#current || used.has(name)) continue;
      try {
        discard(`${this.#root}/${name}`);
      } catch {
        // What cannot be removed now stays for the next time.
      }
    }
  }

  #wanted(problems: string[]): Wanted[] {
    const { library, scripts } = this.#sources;
    const names = namesIn(scripts).filter((name) => name.endsWith('.cjs'));
    return [library, ...[...new Set([SCRIPT, ...names])].sort().map((name) => `${scripts}/${name}`)].flatMap(
      (source) => {
        const digest = this.#digests.of(source);
        if (digest === undefined) problems.push(`${source} is missing; build it: npm run build`);
        const file = basename(source);
        return digest === undefined ? [] : [{ file, mode: file === LIBRARY ? 0o500 : 0o400, source, digest }];
      },
    );
  }

  #isWhole(directory: string, wanted: readonly Wanted[]): boolean {
    const stat = lstatSync(directory, { bigint: true, throwIfNoEntry: false });
    return (
      stat?.isDirectory() === true &&
      isOurs(stat, DIRECTORY_MODE) &&
      wanted.every(
        ({ file, mode, digest }) =>
          this.#digests.of(`${directory}/${file}`, (one) => isOurs(one, mode) && one.nlink === 1n) === digest,
      )
    );
  }

  /** Each file appears whole, in the place of a damaged one too; processes that have mapped that keep it. */
  #put(directory: string, wanted: readonly Wanted[]): void {
    ensurePrivateDirectory(this.#root);
    if (!lstatSync(directory, { throwIfNoEntry: false })?.isDirectory()) discard(directory);
    ensurePrivateDirectory(directory);
    chmodSync(directory, DIRECTORY_MODE);
    for (const { file, mode, source, digest } of wanted) {
      const read = readWhole(source);
      if (read?.digest !== digest) throw new Error(`${source} is being changed`);
      const path = `${directory}/${file}`;
      if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) discard(path);
      const fresh = `${path}.${process.pid}.${randomBytes(6).toString('hex')}.new`;
      writeFileSync(fresh, read.bytes, { flag: 'wx', mode: 0o600 });
      chmodSync(fresh, mode);
      renameSync(fresh, path);
    }
    for (const name of readdirSync(directory)) if (!isWanted(name, wanted)) discard(`${directory}/${name}`);
  }
}

const asOne = (problems: readonly string[]): { problem?: string } =>
  problems.length === 0
    ? {}
    : { problem: `hooks are left out, which costs explanations and speed: ${problems.join('; ')}` };

type Wanted = { file: string; mode: number; source: string; digest: string };

const isWanted = (name: string, wanted: readonly Wanted[]): boolean => wanted.some(({ file }) => file === name);

/** The library comes first. */
const rankOf = (file: string): number => (file === LIBRARY ? 0 : 1);

function nameFor(wanted: readonly { file: string; digest: string | undefined }[]): string {
  const hash = createHash('sha256');
  for (const { file, digest } of wanted) hash.update(`${file} ${digest}\n`);
  return hash.digest('hex').slice(0, 16);
}

/** The library is executable, because access(2) tells then whether it can be mapped so. Only what the loader can load without a word is given to it: it would complain in every program of the run. */
function unloadable(path: string): string | undefined {
  if (!canBePreloaded(path))
    return `${path} has a blank, a colon or a dollar sign in its name, which LD_PRELOAD cannot hold`;
  try {
    accessSync(path, constants.X_OK);
    return undefined;
  } catch {
    return `${path} cannot be loaded: nothing may be executed on its file system`; // access(2), EACCES
  }
}

const isOurs = ({ uid, mode }: BigIntStats, wanted: number): boolean =>
  Number(uid) === process.getuid?.() && (Number(mode) & 0o7777) === wanted;

function namesIn(root: string): string[] {
  try {
    return readdirSync(root);
  } catch {
    return [];
  }
}

/** Of earlier installations some have directories without the permission to write. */
function discard(path: string): void {
  try {
    if (lstatSync(path).isDirectory()) chmodSync(path, 0o700);
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const LIBRARY = 'libgk-hook.so';
const SCRIPT = 'gatekeeper-hook.cjs';
/** The user can remove it by hand; what keeps a run from it is policy and Landlock, not the mode. */
const DIRECTORY_MODE = 0o700;
