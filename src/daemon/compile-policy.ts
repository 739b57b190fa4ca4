import { loadPolicy } from '../adapters/policy-files/load-policy.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import type { CompilePolicy } from './run-policy.ts';

/** Compiles the layers on disk for a run, as they are at the time of the call. */
export function compileFor(layout: HomeLayout, user: { passwdHome: string; uid: number }): CompilePolicy {
  return ({ cwd, policy, netAllow }, cacheSlot) =>
    loadPolicy({
      layout,
      ...user,
      cwd,
      cacheSlot,
      ...(policy === undefined ? {} : { policy }),
      ...(netAllow === undefined ? {} : { netAllow }),
    });
}
