import { SUBJECT_OF, type SubjectKey } from '../../src/core/policy/document.ts';
import {
  ACTIONS,
  BLOCK_KEYS,
  closed,
  KEYS_OF_SUBJECT,
  POLICY_KEYS,
  RULE_KEYS,
  type Schema,
} from '../../src/core/policy/format.ts';

/** policies/schema.json: the format of policy files as a JSON Schema (draft 7, which editors know). Patterns themselves are the parser's business. */
export function policySchema(): string {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'gatekeeper policy',
    ...closed({
      ...POLICY_KEYS,
      policies: { ...POLICY_KEYS['policies']!, schema: { type: 'array', items: { $ref: '#/definitions/block' } } },
    }),
    definitions: {
      block: block(),
      ...Object.fromEntries(SUBJECTS.map((subject) => [`${subject}Rule`, rule(subject)])),
    },
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** Which rules a block may hold, and which actions may share it, follows from its first action. */
function block(): Schema {
  const action = {
    anyOf: [{ enum: ACTIONS }, { type: 'array', items: { enum: ACTIONS }, minItems: 1, uniqueItems: true }],
  };
  const schema = closed({ ...BLOCK_KEYS, action: { ...BLOCK_KEYS['action']!, schema: action } });
  return { ...schema, anyOf: SUBJECTS.map(variant) };
}

function variant(subject: SubjectKey): Schema {
  const actions = ACTIONS.filter((name) => SUBJECT_OF[name] === subject);
  const hiding = implies(
    { required: ['rules'], properties: { rules: HIDES } },
    { properties: { action: READING_ALONE } },
  );
  return {
    properties: {
      action: { anyOf: [{ enum: actions }, { type: 'array', items: { enum: actions } }] },
      rules: { type: 'array', items: { $ref: `#/definitions/${subject}Rule` } },
    },
    ...(subject === 'path' ? { allOf: [hiding] } : {}),
  };
}

function rule(subject: SubjectKey): Schema {
  const onlyWith = (key: string, effect: string): Schema =>
    implies({ required: [key] }, { properties: { effect: { const: effect } } });
  return {
    ...closed({ ...KEYS_OF_SUBJECT[subject], ...RULE_KEYS }),
    allOf: [
      onlyWith('timeout', 'ask'),
      implies({ properties: { effect: { const: 'deny' } } }, { properties: { override: { const: false } } }),
      ...(subject === 'path' ? [onlyWith('hide', 'deny')] : []),
      ...(subject === 'destination' ? [...TERMS.map(onlyConnecting), INJECTS_WHAT_IT_INSPECTS] : []),
    ],
  };
}

const onlyConnecting = (key: string): Schema =>
  implies({ required: [key] }, { properties: { effect: { enum: ['allow', 'ask'] } } });

const implies = (one: Schema, other: Schema): Schema => ({ anyOf: [{ not: one }, other] });

const TERMS = ['inspect', 'sni', 'inject'];
const INJECTS_WHAT_IT_INSPECTS = implies(
  { required: ['inject'] },
  { required: ['inspect'], properties: { inspect: { const: true } } },
);
const SUBJECTS: readonly SubjectKey[] = ['path', 'command', 'destination'];
const READING_ALONE = { enum: ['file_read', ['file_read']] };
const HIDES = { type: 'array', contains: { type: 'object', required: ['hide'] } };
