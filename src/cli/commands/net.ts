import type { PolicyImage, RuleView } from '../../core/engine/image.ts';
import { RULE_FLAG } from '../../core/policy/rule-table.ts';
import { changeRules, changeText } from '../change-rules.ts';
import { policyHere } from '../policy-here.ts';
import type { NetChange } from '../render/net-change.ts';
import { print, printJson } from '../render/print.ts';
import { table } from '../render/table.ts';
import { termsText } from '../render/terms-text.ts';
import { imageOfRun } from '../run-in-log.ts';

export type NetListOptions = { run?: string; policy?: string; json?: boolean };

/** Lists the rules for destinations of all layers that are in force here, or in a run. */
export async function netList({ run, policy, json = false }: NetListOptions): Promise<number> {
  const image = run === undefined ? policyHere(policy === undefined ? {} : { policy }).image : imageOfRun(run);
  const rules = rulesOf(image);
  const otherwise = image.defaults.network.effect;
  if (json) printJson({ default: otherwise, rules });
  else {
    const headings = ['EFFECT', 'DESTINATION', 'RULE', 'REQUESTS', 'REASON'];
    const rows = rules.map(({ effect, destination, rule, requests, reason }) => [
      ...[effect, destination, rule],
      ...[requests || 'all', reason],
    ]);
    if (rows.length > 0) print(table(headings, rows));
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
    .map((rule) => ({
      ...{ effect: rule.effect, destination: rule.pattern, rule: rule.label },
      ...{ requests: requestsText(rule), reason: rule.reason },
    }));

/** Of which requests the rule speaks, and what becomes of them; empty when it speaks of all and says nothing more. */
function requestsText({ methods, flags, terms }: RuleView): string {
  const paths = (flags & RULE_FLAG.requestPaths) !== 0 ? 'some paths' : '';
  return [[...methods].join(' '), paths, termsText(terms)].filter(Boolean).join(', ');
}
