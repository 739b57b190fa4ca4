import { userInfo } from 'node:os';
import { editNetRule } from '../../adapters/policy-files/edit-net-rule.ts';
import { visible } from '../../core/text/visible.ts';
import { ownHome } from '../home.ts';
import { policyHere } from '../policy-here.ts';
import { print, printJson } from '../render/print.ts';
import { table } from '../render/table.ts';

/** Lists the rules for destinations of all layers that are in force here. */
export async function netList({ json = false }: { json?: boolean }): Promise<number> {
  const { image } = policyHere({});
  const rules = image.rules
    .filter(({ action, pattern }) => action === 'network' && pattern !== '')
    .map(({ effect, pattern, label, reason }) => ({ effect, destination: pattern, rule: label, reason }));
  const otherwise = image.defaults.network.effect;
  if (json) printJson({ default: otherwise, rules });
  else {
    const rows = rules.map(({ effect, destination, rule, reason }) => [effect, destination, rule, reason]);
    if (rows.length > 0) print(table(['EFFECT', 'DESTINATION', 'RULE', 'REASON'], rows));
    print(`everything else: ${otherwise}`);
  }
  return 0;
}

/** Changes one destination in the user's policy file; a running daemon takes the file up by itself. */
export async function netChange(
  change: 'allow' | 'deny' | 'remove',
  destination: string,
  { json = false }: { json?: boolean },
): Promise<number> {
  const file = ownHome().userPolicy;
  const changed = editNetRule({ file, uid: userInfo().uid, destination, change });
  const done = { allow: 'allowed', deny: 'denied', remove: 'removed' }[change];
  if (json) printJson({ destination, change, changed, file });
  else print(changed ? `${done} ${visible(destination)} in ${visible(file)}` : `nothing to change in ${visible(file)}`);
  return 0;
}
