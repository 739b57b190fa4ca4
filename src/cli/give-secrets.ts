import { requestControl } from '../adapters/control-client/request.ts';
import { API, type CreateRunResponse, type GiveSecretsRequest, secretProblem } from '../core/contract/control-api.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { visible } from '../core/text/visible.ts';
import { tellUser } from './render/tell-user.ts';

/**
 * Hands the values of the variables that the policy puts into requests to the daemon, and returns what the agent gets in their place. One that is not set
 * keeps no run from starting: only the requests that need it fail.
 */
export async function giveSecrets(
  layout: HomeLayout,
  { id, secrets = [] }: Pick<CreateRunResponse, 'id' | 'secrets'>,
  env: NodeJS.ProcessEnv,
): Promise<Record<string, string>> {
  const given: GiveSecretsRequest['secrets'] = {};
  const placeholders: Record<string, string> = {};
  for (const { name, rule } of secrets) {
    placeholders[name] = `gatekeeper-secret-${name}`;
    const value = env[name];
    const problem = value ? secretProblem(value) : 'is not set here';
    if (value && problem === undefined) given[name] = value;
    else
      tellUser(
        `gatekeeper: warning: ${visible(rule)} puts in ${visible(name)}, which ${problem}: its requests will fail`,
      );
  }
  try {
    if (Object.keys(given).length > 0) await requestControl(layout, API.giveSecrets, { id, body: { secrets: given } });
  } catch (error) {
    await requestControl(layout, API.killRun, { id, body: {} }).catch(() => undefined);
    throw error instanceof GatekeeperError ? error : new GatekeeperError('GK_INTERNAL', { cause: error });
  }
  return placeholders;
}
