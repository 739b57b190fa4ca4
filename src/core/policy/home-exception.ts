import { ACTION } from '../wire/messages.ts';
import { literalPrefix } from './floor.ts';
import { covers } from './hierarchy.ts';
import { PolicyError } from './policy-error.ts';
import { RULE_FLAG, type RuleEntry, type RuleTable } from './rule-table.ts';
import type { PolicyRoots } from './source.ts';

/**
 * Refuses an exception for reading all of the workspace where that holds the home directory: it was written for projects, and would open the keys of its
 * user. Whoever means home can name it (`~/**`).
 *
 * @throws PolicyError that names the rule
 */
export function refuseHomeAsWorkspace({ rules, files }: RuleTable, { home }: PolicyRoots): void {
  const rule = rules.find((one) => opens(one) && one.rows.some(({ tokens }) => isAllOf(tokens, home.real)));
  if (!rule) return;
  const place = { file: files[rule.file]!.name, line: rule.line, column: 1 };
  const text = `the exception ${JSON.stringify(rule.pattern)} would open the home directory, which lies in this workspace`;
  throw new PolicyError([{ ...place, text, remedy: 'start in the directory of a project, or take another policy' }]);
}

const opens = ({ action, effect, flags, pattern }: RuleEntry): boolean =>
  action === ACTION.file_read &&
  effect !== 'deny' &&
  (flags & RULE_FLAG.override) !== 0 &&
  /^(?:\.\/|\$\{workspace\})/.test(pattern);

/** Whether a pattern takes in a directory and everything beneath. */
function isAllOf(tokens: RuleEntry['rows'][number]['tokens'], directory: Uint8Array): boolean {
  const literal = tokens.slice(0, -1).every(({ kind }) => kind === 'bytes');
  return literal && tokens.at(-1)?.kind === 'tail' && covers(literalPrefix(tokens), directory);
}
