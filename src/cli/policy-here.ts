import { userInfo } from 'node:os';
import { loadPolicy } from '../adapters/policy-files/load-policy.ts';
import { PolicyImage } from '../core/engine/image.ts';
import { ownHome, workingDirectory } from './home.ts';
import { policyReference } from './policy-reference.ts';

export type PolicyChoice = { policy?: string; netAllow?: string[] };
export type PolicyHere = { name: string; image: PolicyImage; warnings: string[] };

/** The policy that a run started here would have, compiled from the files as they are now. Needs no daemon. */
export function policyHere({ policy, netAllow }: PolicyChoice): PolicyHere {
  const { homedir, uid } = userInfo();
  const loaded = loadPolicy({
    layout: ownHome(),
    passwdHome: homedir,
    uid,
    cwd: workingDirectory(),
    ...(policy === undefined ? {} : { policy: policyReference(policy) }),
    ...(netAllow === undefined ? {} : { netAllow }),
  });
  return { name: loaded.name, image: PolicyImage.open(loaded.image, loaded.digest), warnings: loaded.warnings };
}
