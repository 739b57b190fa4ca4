import { userInfo } from 'node:os';
import { loadPolicy } from '../adapters/policy-files/load-policy.ts';
import type { RecordedImage } from '../core/replay/replay.ts';
import { ownHome } from './home.ts';
import { policyReference } from './policy-reference.ts';
import { opened } from './recorded-images.ts';

/** As the command line of a run said it. */
export type RunPlace = { cwd: string; netAllow: readonly string[] };

/** What `--policy` would have been in runs of the past: in place of the user's own policy, with all else as a run there would have it now. */
export class CandidatePolicy {
  readonly #policy: string;
  readonly #images = new Map<string, RecordedImage>();
  name = '';

  constructor(policy: string) {
    this.#policy = policyReference(policy);
  }

  /** @throws GatekeeperError (GK_POLICY_INVALID, GK_POLICY_NOT_FOUND) */
  in({ cwd, netAllow }: RunPlace): RecordedImage {
    const key = JSON.stringify([cwd, netAllow]);
    const known = this.#images.get(key);
    if (known) return known;
    const { homedir, uid } = userInfo();
    const terms = { layout: ownHome(), passwdHome: homedir, uid, cwd, netAllow, policy: this.#policy };
    const { name, image, digest } = loadPolicy(terms);
    this.name = name;
    const made = opened(image, digest);
    if (this.#images.size === MOST_OPEN) this.#images.delete(this.#images.keys().next().value!);
    this.#images.set(key, made);
    return made;
  }
}

const MOST_OPEN = 32;
