import { requestControl } from '../../adapters/control-client/request.ts';
import { API } from '../../core/contract/control-api.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { visible } from '../../core/text/visible.ts';
import { ownHome } from '../home.ts';
import { findRun, isGoingOn, knownRuns } from '../known-runs.ts';
import { print, printJson } from '../render/print.ts';

/** Ends runs. All names are looked up before the first is ended, so a typing error ends none. */
export async function kill(wanted: readonly string[], { json = false }: { json?: boolean }): Promise<number> {
  const layout = ownHome();
  const runs = await knownRuns(layout);
  const targets = wanted.map((name) => findRun(runs, name));
  const ended = targets.find((run) => !isGoingOn(run));
  if (ended) throw new GatekeeperError('GK_RUN_ENDED', { where: ended.id });
  for (const { id } of targets) await requestControl(layout, API.killRun, { id, body: {} });
  if (json) printJson(targets.map(({ id, name }) => ({ id, name })));
  else for (const { id, name } of targets) print(`killed ${id} (${visible(name)})`);
  return 0;
}
