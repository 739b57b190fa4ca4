import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { parsePolicy } from '../../core/policy/parse.ts';
import { describeProblem, PolicyError } from '../../core/policy/policy-error.ts';
import { addTrust, type TrustedFile } from '../trust-store/trust-store.ts';
import { sha256 } from './digest.ts';
import { readPolicyFile } from './read-file.ts';
import { realPath } from './roots.ts';

/**
 * Trusts a project's policy file as it is now: from here on its rules count in full, until one byte of it changes. Files that it extends are
 * trusted each by itself.
 * @param store `HomeLayout.trust`
 * @param expected digest of what the user was shown; another content is refused
 * @throws GatekeeperError (GK_POLICY_NOT_FOUND, GK_POLICY_INVALID)
 */
export function trustProjectFile(
  store: string,
  { file, uid, at, expected }: { file: string; uid: number; at: string; expected?: string },
): TrustedFile {
  const text = readPolicyFile(file, { owner: uid, followLinks: false });
  if (text === null) throw new GatekeeperError('GK_POLICY_NOT_FOUND', { where: file });
  const digest = sha256(text);
  const invalid = (what: string, cause?: unknown) =>
    new GatekeeperError('GK_POLICY_INVALID', { what, where: file, cause });
  if (expected !== undefined && expected !== digest) throw invalid('the file has changed meanwhile');
  try {
    parsePolicy({ name: file, layer: 'project', text, path: file });
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw invalid(error.problems[0] ? describeProblem(error.problems[0]) : error.message, error);
  }
  const trusted = { path: realPath(file), digest, at };
  addTrust(store, trusted);
  return trusted;
}
