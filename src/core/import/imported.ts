import { parseCommandPattern } from '../policy/command-pattern.ts';
import { parseDestination } from '../policy/destination.ts';
import { SUBJECT_OF, type SubjectKey } from '../policy/document.ts';
import { parsePathPattern } from '../policy/path-pattern.ts';
import { PatternProblem } from '../policy/pattern-problem.ts';
import type { Scope } from '../policy/scope.ts';
import type { ActionName, EffectName } from '../wire/messages.ts';

export type ImportedRule = {
  pattern: string;
  effect: EffectName;
  override: boolean;
  reason: string;
  /** What it was, where that is spelled differently. */
  from: string | undefined;
};

/** The rules of another program as they can be said here, and everything that cannot. */
export class Imported {
  readonly extends: string[] = [];
  readonly defaults = new Map<ActionName, EffectName>();
  readonly rules = new Map<ActionName, ImportedRule[]>();
  readonly left: { what: string; why: string }[] = [];
  readonly notes: string[] = [];

  /** Adds a rule, or says why it cannot be one. */
  add(
    actions: readonly ActionName[],
    pattern: string,
    effect: EffectName,
    { from = pattern, override = false, reason = '' }: { from?: string; override?: boolean; reason?: string } = {},
  ): void {
    const problem = problemOf(SUBJECT_OF[actions[0]!]!, pattern);
    if (problem) {
      this.leave(from, problem);
      return;
    }
    for (const action of actions) {
      const list = this.rules.get(action) ?? [];
      list.push({ pattern, effect, override, reason, from: from === pattern ? undefined : from });
      this.rules.set(action, list);
    }
  }

  leave(what: string, why: string): void {
    this.left.push({ what, why });
  }
}

/** The policy as a commented file. What was left out stands in it as comments. */
export function importedText(imported: Imported, name: string, source: string): string {
  const lines = [`# Imported from ${oneLine(source)}.`];
  for (const note of imported.notes) lines.push(`# ${oneLine(note)}`);
  if (imported.left.length > 0) {
    lines.push('#', '# Not imported, because it cannot be said here:');
    for (const { what, why } of imported.left) lines.push(`#   ${oneLine(what)}: ${oneLine(why)}`);
  }
  lines.push('version: 1', `name: ${JSON.stringify(name)}`);
  if (imported.extends.length > 0) lines.push(`extends: ${JSON.stringify(imported.extends)}`);
  const actions = [...new Set([...imported.defaults.keys(), ...imported.rules.keys()])];
  lines.push(actions.length > 0 ? 'policies:' : 'policies: []');
  for (const action of actions) lines.push(...blockLines(imported, action));
  return `${lines.join('\n')}\n`;
}

function blockLines({ defaults, rules }: Imported, action: ActionName): string[] {
  const effect = defaults.get(action);
  const own = rules.get(action) ?? [];
  const lines = [`  - action: ${action}`];
  if (effect) lines.push(`    defaultEffect: ${effect}`);
  lines.push(own.length > 0 ? '    rules:' : '    rules: []');
  for (const { pattern, effect: said, override, reason, from } of own) {
    const more = `${override ? ', override: true' : ''}${reason ? `, reason: ${JSON.stringify(reason)}` : ''}`;
    const comment = from === undefined ? '' : `  # ${oneLine(from)}`;
    lines.push(`      - { ${SUBJECT_OF[action]}: ${JSON.stringify(pattern)}, effect: ${said}${more} }${comment}`);
  }
  return lines;
}

function problemOf(subject: SubjectKey, pattern: string): string | null {
  try {
    if (subject === 'path') parsePathPattern(pattern, NOWHERE, () => {});
    else if (subject === 'command') parseCommandPattern(pattern, NOWHERE);
    else parseDestination(pattern);
    return null;
  } catch (error) {
    if (!(error instanceof PatternProblem)) throw error;
    return error.remedy ? `${error.message}; ${error.remedy}` : error.message;
  }
}

/** A comment ends at any line break that YAML knows. */
const oneLine = (text: string): string =>
  text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+/g, ' ');
const ROOT = new TextEncoder().encode('/x');
/** Patterns are only held against the grammar here, wherever home may be. */
const NOWHERE: Scope = {
  places: new Map(['home', 'workspace', 'tmp'].map((name) => [name, [ROOT]])),
  texts: new Map(),
};

/** Entries of an object; none for what is no object. */
export function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

/** A list of strings; what is none of it is left out with a word. */
export function stringsOf(imported: Imported, value: unknown, what: string): string[] {
  const items = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return items.flatMap((item) => {
    if (typeof item === 'string') return [item];
    imported.leave(`${what}: ${JSON.stringify(item)}`, 'not a string');
    return [];
  });
}
