import { readdirSync } from 'node:fs';
import { dirname, resolve as resolvePath } from 'node:path';
import type { HomeLayout } from '../../core/contract/home-layout.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { policyName } from '../../core/policy/compile.ts';
import type { LaunchTerms } from '../../core/policy/launch-terms.ts';
import { type LayeredFile, readLayers } from '../../core/policy/layers.ts';
import { describeProblem, PolicyError } from '../../core/policy/policy-error.ts';
import type { PolicyLayer, PolicyRoots, PolicySource } from '../../core/policy/source.ts';
import type { Hints } from '../../core/policy/static-region.ts';
import { readTrust, type TrustedFile, trustOf } from '../trust-store/trust-store.ts';
import { BrokenPolicy } from './broken-policy.ts';
import { allowCaches, cacheDirectories } from './caches.ts';
import { casesBeside } from './cases-beside.ts';
import { parseOnce } from './compile-once.ts';
import { sha256 } from './digest.ts';
import { compileWithGrants, type GrantsInForce, grantsInForce, NOTHING_GRANTED } from './grants-in-force.ts';
import { netAllowSource } from './net-allow.ts';
import { builtInSources, isPreset, presetSource } from './presets.ts';
import { readPolicyFile } from './read-file.ts';
import { installedWithin, realPath, resolveRoots } from './roots.ts';

export type LoadRequest = {
  layout: HomeLayout;
  /** Home directory from the password database (`os.userInfo().homedir`). */
  passwdHome: string;
  uid: number;
  /** Absolute working directory of the command line; the run's workspace. */
  cwd: string;
  /** Name of a preset, or path of a file (relative to cwd); takes the place of the user's policy. */
  policy?: string;
  /** Destinations of `--net-allow`. */
  netAllow?: readonly string[];
  /** Which of the places for private caches is the run's; the first if nobody says. */
  cacheSlot?: number;
  /** Whether what was granted counts: to runs in general, and to the one that is named. */
  grants?: { run?: string | undefined };
};

export type LoadedPolicy = {
  /** Name of the user's policy, or of the preset that stands in for it. */
  name: string;
  image: Uint8Array;
  /** Hex SHA-256 of the image. */
  digest: string;
  /** One line each. */
  warnings: string[];
  /** The user's own file, or the one that the command line named; undefined for a preset. */
  userFile: string | undefined;
  /** Absolute paths of everything that was read, or whose absence was taken into account; directories for all `*.yaml` in them. */
  files: string[];
  /** How a run under this policy starts. */
  launch: LaunchTerms;
  /** What its programs may open without asking, as far as the policy goes. */
  hints: Hints;
  /** What the image was made from, for those who look into it. */
  layers: readonly LayeredFile[];
  roots: PolicyRoots;
  /** When the first of its grants ends, in milliseconds of CLOCK_BOOTTIME. */
  grantsEndAt: number | undefined;
};

/**
 * Reads all layers from disk and compiles them.
 * @throws GatekeeperError (GK_POLICY_INVALID, GK_POLICY_NOT_FOUND); the cause of an invalid policy is a PolicyError with all problems
 */
export function loadPolicy(request: LoadRequest): LoadedPolicy {
  const disk = new PolicyDisk(request);
  try {
    const layers = readLayers(disk.sources(), disk.resolve, parseOnce);
    const guarded = [...disk.files].filter((path) => path !== request.layout.systemPolicyDir);
    const caches = allowCaches(layers, cacheDirectories(request.layout, request.cwd, request.cacheSlot));
    const roots = resolveRoots(request.layout, request.passwdHome, request.cwd, guarded, caches.places);
    const granted = disk.grants();
    const { all, compiled } = compileWithGrants([...layers, ...caches.layers], granted, roots, disk.warnings);
    const { image, warnings, launch, hints } = compiled;
    return {
      name: policyName(layers),
      image,
      digest: sha256(image),
      warnings: [...disk.warnings, ...warnings, ...installedWithin(request.cwd)],
      userFile: disk.userFile,
      files: [...disk.files],
      launch,
      hints,
      layers: all,
      roots,
      grantsEndAt: granted.endsAt,
    };
  } catch (error) {
    const told = error instanceof PolicyError ? asUserError(error) : error;
    throw told instanceof GatekeeperError ? new BrokenPolicy(told.code, told, [...disk.files]) : told;
  }
}

/** All files that take part, in the order in which their rules are numbered; for `policy show`. */
export function readPolicyLayers(request: LoadRequest): LayeredFile[] {
  const disk = new PolicyDisk(request);
  try {
    return readLayers(disk.sources(), disk.resolve, parseOnce);
  } catch (error) {
    throw error instanceof PolicyError ? asUserError(error) : error;
  }
}

function asUserError(error: PolicyError): GatekeeperError {
  const [first] = error.problems;
  const more = error.problems.length > 1 ? ` (and ${error.problems.length - 1} more)` : '';
  const where = first && first.line > 0 ? `${first.file}:${first.line}:${first.column}` : error.file;
  const what = `${first ? describeProblem({ ...first, file: '', line: 0 }).replace(/^: /, '') : error.message}${more}`;
  return new GatekeeperError('GK_POLICY_INVALID', { what, where, cause: error });
}

class PolicyDisk {
  readonly files = new Set<string>();
  userFile: string | undefined;
  readonly warnings: string[] = [];
  #trust: readonly TrustedFile[] | undefined;
  readonly #request: LoadRequest;

  constructor(request: LoadRequest) {
    this.#request = request;
  }

  sources(): PolicySource[] {
    const { netAllow = [] } = this.#request;
    const sources = [...builtInSources(), ...this.#system(), this.#user()];
    const project = this.#read(`${this.#request.cwd}/.gatekeeper.yaml`, 'project:.gatekeeper.yaml', 'project', false);
    if (project) sources.push(project);
    if (netAllow.length > 0) sources.push(netAllowSource(netAllow));
    return sources;
  }

  /** They lie among gatekeeper's own files: no rule has to guard them as it guards other policies. */
  grants(): GrantsInForce {
    const { grants, layout } = this.#request;
    if (!grants) return NOTHING_GRANTED;
    this.files.add(layout.grants);
    return grantsInForce(layout.grants, grants.run, this.warnings);
  }

  /** What `extends` names: a preset, or a file relative to the one that names it. */
  readonly resolve = (reference: string, from: PolicySource): PolicySource | null => {
    if (isPreset(reference))
      return { ...presetSource(reference, from.layer), ...(from.trusted ? { trusted: true } : {}) };
    if (!reference.includes('/') && !/\.(ya?ml|json)$/.test(reference)) return null;
    if (from.layer === 'command-line' || !from.path) return null;
    const path = resolvePath(dirname(from.path), reference);
    if (from.layer === 'project') return this.#projectParent(path, reference);
    return this.#read(path, `${from.layer}:${reference}`, from.layer, true);
  };

  /** A project's parent must lie in the project: what it reads otherwise could be told from the error messages. */
  #projectParent(path: string, reference: string): PolicySource | null {
    const root = realPath(this.#request.cwd);
    if (!realPath(path).startsWith(`${root}/`)) return null;
    return this.#read(path, `project:${reference}`, 'project', false);
  }

  #system(): PolicySource[] {
    const directory = this.#request.layout.systemPolicyDir;
    this.files.add(directory);
    let names: string[];
    try {
      names = readdirSync(directory).filter((name) => name.endsWith('.yaml'));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return [];
      throw new GatekeeperError('GK_POLICY_INVALID', {
        what: `system policies cannot be read (${code})`,
        where: directory,
      });
    }
    return names.sort().flatMap((name) => this.#read(`${directory}/${name}`, `system:${name}`, 'system', true) ?? []);
  }

  #user(): PolicySource {
    const { policy, layout, cwd } = this.#request;
    if (policy === undefined) {
      const own = this.#readUser(layout.userPolicy, 'user:policy.yaml');
      return own ?? presetSource('default', 'user');
    }
    if (isPreset(policy)) return presetSource(policy, 'user');
    const path = resolvePath(cwd, policy);
    const found =
      policy.includes('/') || /\.(ya?ml|json)$/.test(policy) ? this.#readUser(path, `user:${baseName(path)}`) : null;
    if (!found) throw new GatekeeperError('GK_POLICY_NOT_FOUND', { where: policy });
    return found;
  }

  /** What its author wrote down of it beside it takes part as well. */
  #readUser(path: string, name: string): PolicySource | null {
    const source = this.#read(path, name, 'user', true);
    if (!source) return null;
    this.files.add(casesBeside(path));
    this.userFile = path;
    return source;
  }

  #read(path: string, name: string, layer: PolicyLayer, followLinks: boolean): PolicySource | null {
    this.files.add(path);
    const owner = layer === 'system' ? 0 : this.#request.uid;
    const text = readPolicyFile(path, { owner, followLinks });
    if (text === null) return null;
    const source: PolicySource = { name, layer, text, path, digest: sha256(text) };
    return layer === 'project' && this.#isTrusted(path, source.digest!) ? { ...source, trusted: true } : source;
  }

  #isTrusted(path: string, digest: string): boolean {
    const { trust: store } = this.#request.layout;
    this.files.add(store);
    const trust = trustOf(this.#readTrust(store), realPath(path), digest);
    if (trust === 'changed') {
      this.warnings.push(
        `${path} has changed since you trusted it and can only tighten; read it, then: gatekeeper policy trust`,
      );
    }
    return trust === 'trusted';
  }

  #readTrust(store: string): readonly TrustedFile[] {
    if (this.#trust) return this.#trust;
    try {
      this.#trust = readTrust(store);
    } catch (error) {
      this.#trust = [];
      this.warnings.push(`no project file is trusted: ${error instanceof Error ? error.message : error}`);
    }
    return this.#trust;
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
