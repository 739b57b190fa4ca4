import type { HomeLayout } from '../../core/contract/home-layout.ts';
import { type LaunchTerms, launchTerms } from '../../core/policy/launch-terms.ts';
import { type LayeredFile, readLayers } from '../../core/policy/layers.ts';
import { sha256 } from './digest.ts';
import { realPath } from './roots.ts';

/** Where the caches of one run lie, by how they are used. */
export type CacheDirectories = Record<'private' | 'workspace', string>;

/**
 * Private caches lie in numbered places that later runs use again, so that equal policies give equal images.
 * @param slot from 1
 */
export function cacheDirectories({ caches }: HomeLayout, cwd: string, slot = 1): CacheDirectories {
  return { private: `${caches}/run-${slot}`, workspace: `${caches}/workspace-${sha256(realPath(cwd)).slice(0, 32)}` };
}

/** The layer that lets the run use those of its caches that are not the user's own. */
export function allowCaches(
  layers: readonly LayeredFile[],
  directories: CacheDirectories,
): { layers: LayeredFile[]; places: string[] } {
  const places = cachePlaces(launchTerms(layers, []).caches, directories);
  if (places.length === 0) return { layers: [], places };
  const speaksOfDeleting = layers.some(
    ({ source, document }) =>
      (source.layer === 'system' || source.layer === 'user') &&
      document.blocks.some(({ actions }) => actions.includes('file_delete')),
  );
  // A block for deleting would end that the rules for writing hold for it.
  const actions = ['file_read', 'file_write', ...(speaksOfDeleting ? ['file_delete'] : [])].join(', ');
  const text = `version: 1
name: caches
policies:
  - action: [${actions}]
    rules:
      - { path: "\${caches_of_run}/**", effect: allow, override: true, reason: "a cache of this run" }
`;
  return { layers: readLayers([{ name: 'caches', layer: 'command-line', text }], () => null), places };
}

const cachePlaces = (caches: LaunchTerms['caches'], directories: CacheDirectories): string[] =>
  [...new Set(Object.values(caches))].sort().map((use) => directories[use]);
