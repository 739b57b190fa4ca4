import type { CacheStore } from '../adapters/cache-store/cache-store.ts';
import { cacheDirectories } from '../adapters/policy-files/caches.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import { type CacheTool, cacheVariables } from '../core/policy/cache-tools.ts';
import type { LaunchTerms } from '../core/policy/launch-terms.ts';

/** Makes the cache directories that a run gets by its policy, and says by which variables its tools find them. */
export function prepareCaches(
  store: CacheStore,
  layout: HomeLayout,
  run: { cwd: string; slot: number },
  caches: LaunchTerms['caches'],
): Record<string, string> {
  const directories = cacheDirectories(layout, run.cwd, run.slot);
  for (const use of new Set(Object.values(caches))) {
    store.prepare(directories[use], { empty: use === 'private' });
  }
  const variables: Record<string, string> = {};
  for (const [tool, use] of Object.entries(caches)) {
    const directory = `${directories[use]}/${tool}`;
    store.prepare(directory, { empty: false });
    Object.assign(variables, cacheVariables(tool as CacheTool, directory));
  }
  return variables;
}
