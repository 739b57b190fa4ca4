import { failuresOf, parseCases } from '../../core/analysis/cases.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { PolicyError } from '../../core/policy/policy-error.ts';
import { casesBeside } from './cases-beside.ts';
import { loadFor } from './load-for.ts';
import { readPolicyFile } from './read-file.ts';

/**
 * Holds a policy file against the cases beside it, if there are any: one that does not do what its author wrote down is not to be used.
 * @throws GatekeeperError (GK_POLICY_INVALID) at the first case that fails
 */
export function selfTest(policy: string, uid: number): void {
  const path = casesBeside(policy);
  const text = readPolicyFile(path, { owner: uid, followLinks: true });
  if (text === null) return;
  const file = casesIn(path, text);
  const { home, workspace } = file;
  const image = loadFor({ policy, uid, home, workspace });
  for (const row of file.cases) {
    const [failure] = failuresOf(row, image, row.decide(image));
    if (failure === undefined) continue;
    throw new GatekeeperError('GK_POLICY_INVALID', {
      what: `the policy fails its own case: ${row.action} ${row.subject}: ${failure}`,
      where: `${path}:${row.line}`,
      remedy: 'see all of them: gatekeeper policy test',
    });
  }
}

function casesIn(path: string, text: string): ReturnType<typeof parseCases> {
  try {
    return parseCases(path, text);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const { file, line, column, text: what } = error.problems[0]!;
    throw new GatekeeperError('GK_POLICY_INVALID', { what, where: `${file}:${line}:${column}`, cause: error });
  }
}
