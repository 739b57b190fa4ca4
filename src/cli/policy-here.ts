import { userInfo } from 'node:os';
import { loadPolicy } from '../adapters/policy-files/load-policy.ts';
import { PolicyImage } from '../core/engine/image.ts';
import type { LaunchTerms } from '../core/policy/launch-terms.ts';
import type { LayeredFile } from '../core/policy/layers.ts';
import type { PolicyRoots } from '../core/policy/source.ts';
import type { Hints } from '../core/policy/static-region.ts';
import { ownHome, workingDirectory } from './home.ts';
import { policyReference } from './policy-reference.ts';

/** `grants`: with what is granted to every run. */
export type PolicyChoice = { policy?: string; netAllow?: string[]; grants?: boolean };
export type PolicyHere = {
  name: string;
  image: PolicyImage;
  warnings: string[];
  launch: LaunchTerms;
  /** What the run's own library may open without the supervisor being asked. */
  hints: Hints;
  layers: readonly LayeredFile[];
  roots: PolicyRoots;
};

/** The policy that a run started here would have, compiled from the files as they are now. Needs no daemon. */
export function policyHere({ policy, netAllow, grants = false }: PolicyChoice): PolicyHere {
  const { homedir, uid } = userInfo();
  const { name, image, digest, warnings, launch, hints, layers, roots } = loadPolicy({
    layout: ownHome(),
    passwdHome: homedir,
    uid,
    cwd: workingDirectory(),
    ...(policy === undefined ? {} : { policy: policyReference(policy) }),
    ...(netAllow === undefined ? {} : { netAllow }),
    ...(grants ? { grants: {} } : {}),
  });
  // What had ended by now was left out.
  return { name, image: PolicyImage.open(image, digest, () => 0), warnings, launch, hints, layers, roots };
}

/** Where a rule stands on disk, `file:line`; undefined for rules that no file holds. */
export function placeOf(
  { layers }: Pick<PolicyHere, 'layers'>,
  rule: { file: number; line: number },
): string | undefined {
  const path = layers[rule.file]?.source.path;
  return path === undefined ? undefined : `${path}:${rule.line}`;
}
