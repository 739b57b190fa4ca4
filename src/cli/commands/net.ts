import type { PolicyImage } from '../../core/engine/image.ts';
import { changeRules, changeText } from '../change-rules.ts';
import { policyHere } from '../policy-here.ts';
import type { NetChange } from '../render/net-change.ts';
import { print, printJson } from '../render/print.ts';
import { table } from '../render/table.ts';
import { imageOfRun } from '../run-in-log.ts';

export type NetListOptions = { run?: string; policy?: string; json?: boolean };

/** Lists the rules for destinations of all layers that are in force here, or in a run. */
export async function netList({ run, policy, json = false }: NetListOptions): Promise<number> {
  const image = run === undefined ? policyHere(policy === undefined ? {} : { policy }).image : imageOfRun(run);
  const rules = rulesOf(image);
  const otherwise = image.defaults.network.effect;
  if (json) printJson({ default: otherwise, rules });
  else {
    const rows = rules.map(({ effect, destination, rule, reason }) => [effect, destination, rule, reason]);
    if (rows.length > 0) print(table(['EFFECT', 'DESTINATION', 'RULE', 'REASON'], rows));
    print(`everything else: ${otherwise}`);
  }
  return 0;
}

export type NetChangeOptions = { reason?: string; json?: boolean };

/** Changes destinations in the user's policy, all or none. */
export async function netChange(
  change: NetChange,
  destinations: readonly string[],
  { reason, json = false }: NetChangeOptions,
): Promise<number> {
  const changed = await changeRules(change, destinations, reason);
  if (json) printJson(changed);
  else print(changeText(changed));
  return 0;
}

const rulesOf = (image: PolicyImage) =>
  image.rules
    .filter(({ action, pattern }) => action === 'network' && pattern !== '')
    .map(({ effect, pattern, label, reason }) => ({ effect, destination: pattern, rule: label, reason }));
