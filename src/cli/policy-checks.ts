import { statusIfRunning } from '../adapters/control-client/start-daemon.ts';
import { type Check, check } from '../adapters/doctor/check.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { ownHome } from './home.ts';
import { policyHere } from './policy-here.ts';

/** Whether the policy that a run would have here is good, and whether the runs that go on have the policy that is on disk. */
export async function policyChecks(): Promise<Check[]> {
  return [policyOnDisk(), await policyInForce()];
}

function policyOnDisk(): Check {
  const name = 'policy here';
  const remedy = 'see every error: gatekeeper policy check';
  try {
    const { name: policy, image } = policyHere({});
    return check('files', name, true, `${policy}, ${image.rules.length} rules`, remedy);
  } catch (error) {
    if (!(error instanceof GatekeeperError)) throw error;
    return check('files', name, false, error.where ? `${error.where}: ${error.what}` : error.what, error.remedy);
  }
}

async function policyInForce(): Promise<Check> {
  const broken = (await statusIfRunning(ownHome()).catch(() => undefined))?.policyError;
  const detail = broken
    ? `the last good one is in force, that on disk is broken: ${broken}`
    : 'what is on disk, or no run goes on';
  return check(
    'files',
    'policy of runs',
    broken === undefined,
    detail,
    'mend the file: runs take it as soon as it is good',
  );
}
