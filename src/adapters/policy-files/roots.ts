import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AuditSettings } from '../../core/audit/settings.ts';
import type { HomeLayout } from '../../core/contract/home-layout.ts';
import type { PolicyRoots, RootForms } from '../../core/policy/source.ts';
import { readAuditSettings } from '../audit-settings/read-settings.ts';

/**
 * The directories that patterns are anchored at, resolved once.
 * @param passwdHome home directory from the password database, never from $HOME
 * @param workspace absolute working directory of the command line
 * @param policies policy files in force, which no run may change
 * @param caches cache directories that the run has to itself
 */
export function resolveRoots(
  layout: HomeLayout,
  passwdHome: string,
  workspace: string,
  policies: readonly string[],
  caches: readonly string[] = [],
): PolicyRoots {
  const both = (...paths: readonly string[]): Uint8Array[] =>
    [...new Set(paths.flatMap((path) => [path, realPath(path)]))].map(encode);
  const units = [
    `${dirname(layout.config)}/systemd/user`,
    `${passwdHome}/.config/systemd/user`,
    `${passwdHome}/.local/share/systemd/user`,
    '/etc/systemd/system',
    '/etc/systemd/user',
  ];
  const { anchors } = readAuditSettings(layout);
  return {
    home: forms(passwdHome),
    workspace: forms(workspace),
    tmp: forms('/tmp'),
    places: {
      gatekeeper_config: both(layout.config),
      gatekeeper_state: both(layout.state, layout.audit, layout.keys, layout.runs, layout.images, layout.hooks),
      gatekeeper_runtime: both(layout.runtime),
      gatekeeper_caches: both(layout.caches),
      ...(caches.length > 0 ? { caches_of_run: both(...caches) } : {}),
      gatekeeper_system: both(layout.systemPolicyDir),
      gatekeeper_program: both(...PROGRAM_PARTS.map((part) => `${PACKAGE}/${part}`)),
      gatekeeper_units: both(...units),
      gatekeeper_policies: both(...policies),
      gatekeeper_anchors: both(...anchors.files.flatMap((path) => [path, `${path}.new`])),
      gatekeeper_anchor_programs: both(...absoluteWords(anchors)),
    },
  };
}

/** The programs of anchors, and files that they are given: whoever changes one has what the daemon starts. */
const absoluteWords = ({ commands }: AuditSettings['anchors']): string[] =>
  commands.flatMap(({ put, get = [] }) => [...put, ...get]).filter((word) => /^\/./.test(word));

/** With symbolic links resolved as far as the path exists; what does not exist yet is taken as it is written. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path
      ? path
      : `${realPath(parent).replace(/\/$/, '')}/${path.slice(parent.length).replace(/^\//, '')}`;
  }
}

function forms(path: string): RootForms {
  return { lexical: encode(path), real: encode(realPath(path)) };
}

function encode(path: string): Uint8Array {
  return new TextEncoder().encode(path);
}

/** What the user should know when gatekeeper's own packages lie where a run may write: beside its own, those that were installed along with it. */
export function installedWithin(workspace: string): string[] {
  const inside = [workspace, realPath(workspace)].some((path) => `${PACKAGE}/`.startsWith(`${path}/node_modules/`));
  if (!inside) return [];
  return [
    'it is installed within the workspace, where a run can change packages that it loads at its next start; install it elsewhere, as with: npm install --global',
  ];
}

/** Three rooms up from here lies the package, from the sources as from the build. */
const PACKAGE = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
/** What is executed or believed outside of every run. */
const PROGRAM_PARTS = ['dist', 'native-hooks/build', 'policies', 'node_modules'];
