import type { PolicyImage, RuleView } from '../engine/image.ts';
import { saysNothing } from '../policy/connection-terms.ts';
import type { RuleEntry, RuleTable } from '../policy/rule-table.ts';
import type { PolicyRoots } from '../policy/source.ts';
import type { ActionName } from '../wire/messages.ts';
import { connectionFindings } from './connections.ts';
import { matchOfRule } from './match-of-rule.ts';
import { type Reach, reachOfCommands, reachOfNetwork, reachOfPaths } from './reach.ts';
import { coveredSecrets, uploadHosts } from './secrets.ts';

/** A thing in a policy that is valid and likely not meant. `subject` is a path, command or destination that shows it. */
export type Finding = {
  kind:
    | 'never-decides'
    | 'never-matches'
    | 'covers-secret'
    | 'pierces'
    | 'accepts-uploads'
    | 'not-seen'
    | 'inspects-any-name'
    | 'not-checked';
  severity: 'warning' | 'note';
  action: ActionName;
  /** Index of the rule in the image; null for a default. */
  rule: number | null;
  /** The rule that decides instead, or that is pierced; null for a default or when there is none. */
  other: number | null;
  text: string;
  subject: Uint8Array | null;
};

/**
 * Looks for rules that have no effect, exceptions and what they open, secrets within reach and hosts that take uploads. Computed on the
 * automata, over every subject that there can be.
 *
 * @param files indices of the files whose own rules are looked at; verdicts are those of all files together
 * @param table what the image was made from
 */
export function lintImage(
  image: PolicyImage,
  table: RuleTable,
  roots: PolicyRoots,
  files: ReadonlySet<number>,
): Finding[] {
  const reaches = new Map<ActionName, Reach | null>();
  for (const action of ['file_read', 'file_write', 'file_delete', 'unix_socket'] as const) {
    reaches.set(action, reachOfPaths(image, action));
  }
  reaches.set('shell_exec', reachOfCommands(image));
  reaches.set('network', reachOfNetwork(image));
  const mine = (rule: RuleView): boolean => files.has(rule.file) && rule.pattern !== '';
  return [
    ...[...reaches].filter(([, reach]) => reach === null).map(([action]) => notChecked(action)),
    ...idleRules(image, table, reaches, mine),
    ...piercings(image, reaches, mine),
    ...coveredSecrets(image, roots),
    ...uploadHosts(image),
    ...connectionFindings(image, mine),
  ];
}

type Reaches = ReadonlyMap<ActionName, Reach | null>;

/** A rule is idle when in none of its actions any subject is decided by it. */
function idleRules(
  image: PolicyImage,
  table: RuleTable,
  reaches: Reaches,
  mine: (rule: RuleView) => boolean,
): Finding[] {
  const alike = new Map<string, number[]>();
  image.rules.forEach((rule, index) => {
    if (!mine(rule)) return;
    const key = `${rule.file}:${rule.line}:${rule.pattern}`;
    alike.set(key, [...(alike.get(key) ?? []), index]);
  });
  let shown = 0;
  return [...alike.values()].flatMap((rules) => {
    const isDecided = rules.some((rule) => {
      const reach = reaches.get(image.rules[rule]!.action);
      return !reach || reach.deciding.has(rule);
    });
    if (isDecided) return [];
    const found = shown++ < MOST_EXAMPLES ? idleRule(image, table, rules[0]!) : idleWithoutExample(image, rules[0]!);
    // What it says of connections holds beside the rule that is named.
    return found.severity === 'note' && !saysNothing(image.rules[rules[0]!]!.terms) ? [] : [found];
  });
}

function idleRule(image: PolicyImage, table: RuleTable, rule: number): Finding {
  const { action, effect } = image.rules[rule]!;
  const met = matchOfRule(image, table.rules[rule] as RuleEntry, action);
  const base = { action, rule, subject: met?.subject ?? null };
  if (!met) {
    return { ...base, kind: 'never-matches', severity: 'warning', other: null, text: 'matches nothing that can exist' };
  }
  const same = met.decision.effect === effect;
  const text = same
    ? `is not needed: what it says is said already`
    : `never decides: ${met.decision.effect} holds wherever it matches`;
  return { ...base, kind: 'never-decides', severity: same ? 'note' : 'warning', other: met.decision.rule, text };
}

function idleWithoutExample(image: PolicyImage, rule: number): Finding {
  const { action } = image.rules[rule]!;
  const text = 'never decides anything';
  return { kind: 'never-decides', severity: 'warning', action, rule, other: null, text, subject: null };
}

function piercings(image: PolicyImage, reaches: Reaches, mine: (rule: RuleView) => boolean): Finding[] {
  const found: Finding[] = [];
  for (const [action, reach] of reaches) {
    for (const { rule, pierced, subject } of reach?.piercing.values() ?? []) {
      if (!mine(image.rules[rule]!)) continue;
      const text = `overrides ${image.rules[pierced]!.effect}`;
      found.push({ kind: 'pierces', severity: 'note', action, rule, other: pierced, text, subject });
    }
  }
  return found;
}

function notChecked(action: ActionName): Finding {
  const text = `the patterns of ${action} together are too many to look for rules without effect`;
  return { kind: 'not-checked', severity: 'note', action, rule: null, other: null, text, subject: null };
}

/** Each example is a walk of its own. */
const MOST_EXAMPLES = 100;
