import type { RunHooks } from '../../core/contract/control-api.ts';

/** What is loaded into the processes of a run, in a few words. */
export function hooksText(hooks: RunHooks = {}, wanted = true): string {
  const { library, script } = hooks;
  if (!wanted) return 'none, as asked';
  const loaded = [...(library === undefined ? [] : ['library']), ...(script === undefined ? [] : ['Node interceptor'])];
  return loaded.length === 0 ? 'none' : loaded.join(' and ');
}
