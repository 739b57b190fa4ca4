import { PRESETS, presetSource } from '../../adapters/policy-files/presets.ts';
import { parsePolicy } from '../../core/policy/parse.ts';
import { print, printJson } from '../render/print.ts';
import { table } from '../render/table.ts';

/** Lists the policies that come with gatekeeper, to be named after `--policy` or under `extends`. */
export function policyPresets(json: boolean): number {
  const presets = PRESETS.map((name) => {
    const { description, extends: parents } = parsePolicy(presetSource(name, 'user'));
    return { name, extends: parents.map(({ text }) => text), description };
  });
  if (json) printJson(presets);
  else
    print(
      table(
        ['PRESET', 'WHAT IT IS FOR'],
        presets.map(({ name, description }) => [name, description]),
        100,
      ),
    );
  return 0;
}
