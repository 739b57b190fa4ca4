import { ensurePrivateDirectory } from '../adapters/process/private-directory.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';

/** Makes the directories that the daemon writes to: each this user's own and closed to others. */
export function prepareHome({ state, audit, keys, runs, images, runtime }: HomeLayout): void {
  for (const directory of [state, audit, keys, runs, images, runtime]) ensurePrivateDirectory(directory);
}
