import type { NotSuggested, SuggestedRule, Suggestion } from '../../core/analysis/net-suggest.ts';
import { visible, visibleShort } from '../../core/text/visible.ts';

export type SuggestionText = Suggestion & {
  run: string;
  name: string;
  userPolicy: string;
  /** What --policy named, when the run is not under the user's own. */
  policy?: string | undefined;
  allowedByNow: readonly string[];
};

/** A block for the list `policies` of a policy file; everything else in it is a comment. */
export function suggestionText(suggestion: SuggestionText): string {
  const { rules, wider, run, name, allowedByNow, notSuggested } = suggestion;
  const lines = [`# What run ${visible(name)} (${run}) was refused because no rule allows it.`];
  if (rules.length === 0) lines.push('# There is nothing to suggest.');
  else {
    lines.push('# The names come from the run: read them before you allow them.', whereTo(suggestion));
    if (rules.length > MANY)
      lines.push(
        `# ${rules.length} hosts are many: a program that asks for ever new names may be telling somebody something.`,
      );
    lines.push('  - action: network', '    rules:', ...rules.map((rule) => `      ${ruleText(rule)}`));
  }
  for (const { destination, hosts } of wider) {
    const shown = hosts.length > 4 ? `${hosts.slice(0, 3).join(', ')} and ${hosts.length - 3} more` : hosts.join(', ');
    lines.push(
      `      # in place of ${shown}, but with every other name beneath it:`,
      `      # - { destination: ${JSON.stringify(destination)}, effect: allow }`,
    );
  }
  if (allowedByNow.length > 0) lines.push(`# allowed by now: ${allowedByNow.map((one) => visible(one)).join(', ')}`);
  if (notSuggested.length > 0)
    lines.push('# not suggested:', ...notSuggested.map((entry) => `#   ${apartText(entry)}`));
  return lines.join('\n');
}

function whereTo({ run, userPolicy, policy, rules }: SuggestionText): string {
  const own = `It goes beneath "policies:" in ${visible(userPolicy)}; or: gatekeeper net suggest ${run} --apply`;
  if (policy === undefined) return `# ${own}`;
  const options = rules.flatMap(({ destinations }) => destinations.map((destination) => `--net-allow ${destination}`));
  return `# The run was under --policy ${visible(policy)}, not under your own policy. Under it again: ${options.join(' ')}`;
}

function ruleText({ destinations, attempts, programs, assumed }: SuggestedRule): string {
  const [only = '', ...more] = destinations;
  const places = JSON.stringify(more.length === 0 ? only : destinations).replaceAll('","', '", "');
  const who = programs.length > 0 ? `, ${visibleShort(programs.join(' '), 60)}` : '';
  const how = assumed ? ', asked for by name alone: the port is a guess' : '';
  return `- { destination: ${places}, effect: allow } # ${times(attempts)}${who}${how}`;
}

function apartText({ destination, why, because, command, attempts }: NotSuggested): string {
  const words = why === 'rule' ? 'denied by' : why === 'ask' ? 'asked about by' : '';
  const reason = visibleShort(`${words} ${because}`.trim());
  return `${visibleShort(destination)}  ${times(attempts)}, ${reason}${command ? `; if you mean it: ${visible(command)}` : ''}`;
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);
const MANY = 50;
