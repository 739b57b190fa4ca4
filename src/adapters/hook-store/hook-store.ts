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
import { fileURLToPath } from 'node:url';
import type { RunHooks } from '../../core/contract/control-api.ts';
import { canBePreloaded } from '../../core/contract/hook-variables.ts';
import { ensurePrivateDirectory } from '../process/private-directory.ts';
import { KnownDigests, readWhole } from './known-digests.ts';

/** Where the installation has the files. */
export type HookSources = { library: string; script: string };

/** Where an installation has them. */
export const hookSources = (installation: URL): HookSources => ({
  library: fileURLToPath(new URL('native-hooks/build/libgk-hook.so', installation)),
  script: fileURLToPath(new URL('dist/node-hook/gatekeeper-hook.cjs', installation)),
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
    const wanted = this.#wanted();
    if (wanted.length === 0) return { hooks: {}, ...asOne(problems) };
    const name = nameFor(wanted);
    this.#current = name;
    const directory = `${this.#root}/${name}`;
    try {
      if (!this.#isWhole(directory, wanted)) this.#put(directory, wanted);
    } catch (error) {
      return { hooks: {}, ...asOne([`they cannot be put into ${directory}: ${messageOf(error)}`]) };
    }
    const hooks: RunHooks = {};
    for (const { kind, file } of wanted) {
      const path = `${directory}/${file}`;
      const problem = kind === 'library' ? unloadable(path) : undefined;
      if (problem === undefined) hooks[kind] = path;
      else problems.push(problem);
    }
    return { name, directory, hooks, ...asOne(problems) };
  }

  /** Removes those of earlier installations that no run uses any more. */
  sweep(used: ReadonlySet<string>): void {
    for (const name of namesIn(this.#root)) {
      if (name !== this.#current && !used.has(name)) discard(`${this.#root}/${name}`);
    }
  }

  #wanted(): Wanted[] {
    return KINDS.flatMap(({ kind, file, mode }) => {
      const source = this.#sources[kind];
      const digest = this.#digests.of(source);
      return digest === undefined ? [] : [{ kind, file, mode, source, digest }];
    });
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
    chmodSync(directory, 0o700);
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
    chmodSync(directory, DIRECTORY_MODE);
  }
}

const asOne = (problems: readonly string[]): { problem?: string } =>
  problems.length === 0
    ? {}
    : { problem: `hooks are left out, which costs explanations and speed: ${problems.join('; ')}` };

type Wanted = { kind: keyof HookSources; file: string; mode: number; source: string; digest: string };

const isWanted = (name: string, wanted: readonly Wanted[]): boolean => wanted.some(({ file }) => file === name);

function nameFor(wanted: readonly Wanted[]): string {
  const hash = createHash('sha256');
  for (const { file, digest } of wanted) hash.update(`${file} ${digest}\n`);
  return hash.digest('hex').slice(0, 16);
}

/** Only what the loader can load without a word is put before it: it would complain in every program of the run. */
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

/** A directory without the permission to write is emptied by nobody but root. */
function discard(path: string): void {
  try {
    if (lstatSync(path).isDirectory()) chmodSync(path, 0o700);
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The library is executable, because access(2) then tells whether it can be mapped so. */
const KINDS = [
  { kind: 'library', file: 'libgk-hook.so', mode: 0o500 },
  { kind: 'script', file: 'gatekeeper-hook.cjs', mode: 0o400 },
] as const;
const DIRECTORY_MODE = 0o500;
