import { BrokenPolicy } from '../adapters/policy-files/broken-policy.ts';
import { loadPolicy } from '../adapters/policy-files/load-policy.ts';
import { selfTest } from '../adapters/policy-files/self-test.ts';
import type { CreateRunRequest } from '../core/contract/control-api.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import type { CompiledPolicy } from './run-policy.ts';

export type PolicyUser = { passwdHome: string; uid: number };

/**
 * Compiles the layers on disk for a run, as they are at the time of the call, and holds the user's file against the cases beside it.
 * @throws BrokenPolicy
 */
export function compileNow(
  layout: HomeLayout,
  user: PolicyUser,
  { cwd, policy, netAllow }: CreateRunRequest,
  cacheSlot: number,
  run?: string,
): CompiledPolicy {
  const { name, image, warnings, files, launch, hints, userFile, grantsEndAt } = loadPolicy({
    layout,
    ...user,
    cwd,
    cacheSlot,
    grants: { run },
    ...(policy === undefined ? {} : { policy }),
    ...(netAllow === undefined ? {} : { netAllow }),
  });
  try {
    if (userFile !== undefined) selfTest(userFile, user.uid);
  } catch (error) {
    throw error instanceof GatekeeperError ? new BrokenPolicy(error.code, error, files) : error;
  }
  return { name, image, warnings, files, launch, hints, userFile, grantsEndAt };
}
