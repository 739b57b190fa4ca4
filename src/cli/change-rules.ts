import { userInfo } from 'node:os';
import { editNetRules } from '../adapters/policy-files/edit-net-rule.ts';
import { visible } from '../core/text/visible.ts';
import { ownHome } from './home.ts';
import { netEffects } from './net-effect.ts';
import { changeLines, type NetChange, type NetResult, uptakeLines } from './render/net-change.ts';
import { runsBefore, takenUp, type Uptake } from './taken-up.ts';

export type RulesChange = {
  change: NetChange;
  file: string;
  results: NetResult[];
  /** Runs that go on, when anything changed. */
  runs: Uptake[];
  /** Why it is not known what holds now. */
  policyError: string | null;
};

/** Changes destinations in the user's policy file, all or none, and finds out what holds from then on, here and in runs that go on. */
export async function changeRules(
  change: NetChange,
  destinations: readonly string[],
  reason: string | undefined,
): Promise<RulesChange> {
  const layout = ownHome();
  const file = layout.userPolicy;
  const before = await runsBefore(layout);
  const changed = editNetRules({ file, uid: userInfo().uid, destinations, change, reason });
  const effects = netEffects(destinations);
  const known = typeof effects === 'string' ? undefined : effects;
  return {
    change,
    file,
    results: destinations.map((destination) => ({
      destination,
      changed: changed.includes(destination),
      effect: known?.get(destination) ?? null,
    })),
    runs: changed.length > 0 ? await takenUp(layout, before) : [],
    policyError: typeof effects === 'string' ? effects : null,
  };
}

export function changeText({ change, file, results, runs, policyError }: RulesChange): string {
  const lines = results.flatMap((result) => changeLines(change, result));
  if (results.some(({ changed }) => changed)) lines.push(`in ${visible(file)}; ${uptakeLines(runs).join('; ')}`);
  else lines.push(`nothing to change in ${visible(file)}`);
  if (policyError !== null) lines.push(`whether it has an effect here is not known: ${visible(policyError)}`);
  return lines.join('\n');
}
