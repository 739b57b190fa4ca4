import { isMap, isSeq, type Node } from 'yaml';
import { type ActionName, EFFECT, type EffectName } from '../wire/messages.ts';
import {
  type BlockDocument,
  type Placed,
  type PolicyDocument,
  type RuleDocument,
  SUBJECT_OF,
  type SubjectKey,
} from './document.ts';
import { ACTIONS, BLOCK_KEYS, KEYS_OF_SUBJECT, POLICY_KEYS, RULE_KEYS } from './format.ts';
import { readLaunch } from './parse-launch.ts';
import { readTerms } from './parse-terms.ts';
import { PolicyError } from './policy-error.ts';
import type { PolicySource } from './source.ts';
import { quote, YamlReader } from './yaml-reader.ts';

/**
 * Reads one policy file.
 * @throws PolicyError with every problem found, if there is one
 */
export function parsePolicy(source: PolicySource): PolicyDocument {
  const reader = new YamlReader(source.path ?? source.name, source.text);
  if (reader.problems.length === 0 && !reader.root) {
    reader.problem(null, 'the file is empty', 'a policy starts with "version: 1" and a name');
  }
  if (reader.problems.length > 0) throw new PolicyError(reader.problems);
  const document = readPolicy(reader);
  if (reader.problems.length > 0) throw new PolicyError(reader.problems);
  return document;
}

type Child = YamlReader['root'];

function readPolicy(reader: YamlReader): PolicyDocument {
  const entries = reader.map(reader.root, 'a policy', Object.keys(POLICY_KEYS));
  for (const required of ['version', 'name']) {
    if (!entries.has(required)) reader.problem(reader.root, `${required} is missing`, REMEDY_FOR_MISSING[required]);
  }
  const version = entries.get('version')?.value;
  if (version && (version as { value?: unknown }).value !== 1) reader.problem(version, 'version must be 1');
  const name = entries.get('name');
  const description = entries.get('description');
  const parents = entries.get('extends');
  const blocks = entries.get('policies');
  return {
    name: (name && reader.string(name.value, 'name')?.text) ?? '',
    description: (description && reader.string(description.value, 'description')?.text) ?? '',
    extends: parents ? reader.strings(parents.value, 'extends') : [],
    variables: readVariables(reader, entries.get('variables')?.value),
    launch: readLaunch(reader, entries),
    blocks: blocks ? reader.list(blocks.value, 'policies').flatMap((node) => readBlock(reader, node) ?? []) : [],
  };
}

function readVariables(reader: YamlReader, node: Child): PolicyDocument['variables'] {
  const variables: PolicyDocument['variables'] = new Map();
  if (!node) return variables;
  for (const [name, { key, value }] of reader.map(node, 'variables', [])) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      reader.problem(key, `${quote(name)} is not a name for a variable`, 'use letters, digits and _');
    }
    const text = reader.string(value, `variable ${name}`);
    if (text) variables.set(name, text);
  }
  return variables;
}

function readBlock(reader: YamlReader, node: Child): BlockDocument | null {
  const entries = reader.map(node, 'a block of policies', Object.keys(BLOCK_KEYS));
  const action = entries.get('action');
  if (!action) {
    if (isMap(node)) reader.problem(node, 'action is missing', `actions are ${ACTIONS.join(', ')}`);
    return null;
  }
  const actions = readActions(reader, action.value);
  const [first] = actions;
  if (!first) return null;
  const subject = SUBJECT_OF[first]!;
  if (actions.some((name) => SUBJECT_OF[name] !== subject)) {
    reader.problem(
      action.value,
      'actions with different kinds of targets cannot share a block',
      'write a block for each',
    );
    return null;
  }
  const effect = entries.get('defaultEffect');
  const log = entries.get('log');
  const rules = entries.get('rules');
  const defaultEffect = effect && readEffect(reader, effect.value);
  return {
    actions,
    subject,
    defaultEffect: defaultEffect ? { effect: defaultEffect, line: reader.place(effect.value).line } : undefined,
    log: log && reader.boolean(log.value, 'log'),
    rules: rules
      ? reader.list(rules.value, 'rules').flatMap((rule) => readRule(reader, rule, subject, actions) ?? [])
      : [],
  };
}

function readActions(reader: YamlReader, node: Child): ActionName[] {
  const named = reader.strings(node, 'action');
  if (isSeq(node) && node.items.length === 0)
    reader.problem(node, 'action is empty', `actions are ${ACTIONS.join(', ')}`);
  const actions: ActionName[] = [];
  for (const item of named) {
    if (!ACTIONS.includes(item.text as ActionName)) {
      reader.problemAt(item, `unknown action ${quote(item.text)}`, `actions are ${ACTIONS.join(', ')}`);
    } else if (actions.includes(item.text as ActionName)) reader.problemAt(item, `action ${item.text} is listed twice`);
    else actions.push(item.text as ActionName);
  }
  return actions;
}

function readEffect(reader: YamlReader, node: Child): EffectName | null {
  const text = reader.string(node, 'effect');
  if (!text) return null;
  if (Object.hasOwn(EFFECT, text.text)) return text.text as EffectName;
  reader.problemAt(text, `unknown effect ${quote(text.text)}`, `effects are ${EFFECTS}`);
  return null;
}

function readRule(reader: YamlReader, node: Child, subject: SubjectKey, actions: ActionName[]): RuleDocument | null {
  const known = Object.keys({ ...KEYS_OF_SUBJECT[subject], ...RULE_KEYS });
  const entries = reader.map(node, `a rule of ${actions.join(', ')}`, known);
  const targets = entries.get(subject);
  const effectEntry = entries.get('effect');
  if (isMap(node) && !targets) reader.problem(node, `${subject} is missing`);
  if (isMap(node) && !effectEntry) reader.problem(node, 'effect is missing', `effects are ${EFFECTS}`);
  const effect = effectEntry ? readEffect(reader, effectEntry.value) : null;
  const subjects = targets ? reader.strings(targets.value, subject) : [];
  const flag = (name: string): boolean | undefined => {
    const entry = entries.get(name);
    return entry && reader.boolean(entry.value, name);
  };
  const reason = entries.get('reason');
  const override = flag('override') ?? false;
  if (override && effect === 'deny') {
    reader.problem(
      entries.get('override')?.value,
      'override on a deny rule has no meaning',
      'a deny needs no exception',
    );
  }
  const rule = {
    ...reader.place(node),
    subjects,
    reason: (reason && reader.string(reason.value, 'reason')?.text) ?? '',
    override,
    log: flag('log'),
    timeoutMs: readTimeout(reader, entries.get('timeout'), effect),
    checkChildren: readChildren(reader, entries.get('children')?.value),
    hide: readHide(reader, entries.get('hide'), effect, actions),
    methods: readMethods(reader, entries.get('methods')?.value),
    requestPaths: optionalStrings(reader, entries.get('paths')?.value, 'paths'),
    terms: readTerms(reader, entries, effect),
  };
  return effect ? { ...rule, effect } : null;
}

function readTimeout(
  reader: YamlReader,
  entry: { key: Node; value: Child } | undefined,
  effect: EffectName | null,
): number {
  if (!entry) return 0;
  if (effect && effect !== 'ask') reader.problem(entry.key, 'timeout belongs to ask rules only');
  const text = reader.string(entry.value, 'timeout');
  if (!text) return 0;
  const match = /^([1-9][0-9]{0,6})(ms|s|m|h)$/.exec(text.text);
  const milliseconds = match ? Number(match[1]) * MILLISECONDS[match[2] as keyof typeof MILLISECONDS] : 0;
  if (milliseconds > 0 && milliseconds <= LONGEST_TIMEOUT_MS) return milliseconds;
  reader.problemAt(text, `${quote(text.text)} is not a duration`, 'write for example 30s, 5m or 1h, at most 24h');
  return 0;
}

function readChildren(reader: YamlReader, node: Child): boolean {
  if (!node) return false;
  const text = reader.string(node, 'children');
  if (text && text.text !== 'allow' && text.text !== 'check') {
    reader.problemAt(text, `unknown value ${quote(text.text)} for children`, 'values are allow, check');
  }
  return text?.text === 'check';
}

function readHide(
  reader: YamlReader,
  entry: { key: Node; value: Child } | undefined,
  effect: EffectName | null,
  actions: readonly ActionName[],
): boolean {
  if (!entry) return false;
  if (actions.some((action) => action !== 'file_read') || (effect && effect !== 'deny'))
    reader.problem(entry.key, 'hide belongs to deny rules of file_read only');
  return reader.boolean(entry.value, 'hide') ?? false;
}

/** Methods are case-sensitive (RFC 9110, 9.1). A tunnel is not a request, so CONNECT is none. */
function readMethods(reader: YamlReader, node: Child): Placed[] | undefined {
  const methods = optionalStrings(reader, node, 'methods');
  for (const method of methods ?? []) {
    if (!/^[A-Z]+(-[A-Z]+)*$/.test(method.text) || method.text === 'CONNECT')
      reader.problemAt(
        method,
        `${quote(method.text)} is not a method of requests`,
        'write for example GET, HEAD or POST',
      );
  }
  return methods;
}

function optionalStrings(reader: YamlReader, node: Child, what: string): Placed[] | undefined {
  return node ? reader.strings(node, what) : undefined;
}

const EFFECTS = 'allow, deny, ask, shadow';
const REMEDY_FOR_MISSING: Record<string, string> = { version: 'add "version: 1"', name: 'add "name: my-policy"' };
const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const LONGEST_TIMEOUT_MS = 24 * 3_600_000;
