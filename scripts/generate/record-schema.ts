import { AUDIT_EVENT, MEMBERS, TIME } from '../../src/core/audit/record-members.ts';
import { ACTION } from '../../src/core/wire/messages.ts';

type Schema = Readonly<Record<string, unknown>>;

/** schemas/audit-record.json: one line of the audit log. What a schema cannot say (hashes, signatures, numbers that follow each other) is in docs/audit-log.md. */
export function recordSchema(): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'gatekeeper audit record, version 1',
    type: 'object',
    properties: { ...CHAIN, action: actions(), time: TIMES, ...members() },
    required: ['v', 'seq', 'prev', 'hash', 'action', 'time'],
    additionalProperties: false,
    dependentRequired: Object.fromEntries(NAMES.filter(isBytes).map((name) => [name, [name.replace(/Bytes$/, '')]])),
    allOf: [...NAMES.flatMap(onlyWith), decisionsHaveVerdicts(), signed()],
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function actions(): Schema {
  const events = Object.entries(AUDIT_EVENT).map(([name, about]) => ({ const: name, description: about }));
  const decision = { enum: Object.keys(ACTION), description: 'a decision about such an action' };
  const unknown = {
    pattern: '^action-\\d+$',
    description: 'a decision about an action that this version has no name for',
  };
  return { type: 'string', anyOf: [decision, ...events, unknown] };
}

function members(): Schema {
  const all = Object.entries(MEMBERS).map(([name, member]) => {
    const { is, about, among, pattern } = { among: undefined, pattern: undefined, ...member };
    const bounds = is === 'integer' ? COUNT : {};
    return [
      name,
      { type: is, ...bounds, ...(among && { enum: among }), ...(pattern && { pattern }), description: about },
    ];
  });
  return Object.fromEntries(all);
}

/** A member that tells of some actions is in no record of another. */
function onlyWith(name: keyof typeof MEMBERS): Schema[] {
  const { only }: { only?: readonly string[] } = { ...MEMBERS[name] };
  if (only === undefined) return [];
  const decides = only.includes('file_read') ? [{ type: 'string', pattern: '^action-\\d+$' }] : [];
  const action = decides.length > 0 ? { anyOf: [{ enum: only }, ...decides] } : { enum: only };
  return [implies({ required: [name] }, { properties: { action } })];
}

function decisionsHaveVerdicts(): Schema {
  return implies({ properties: { action: { enum: Object.keys(ACTION) } } }, { required: ['verdict', 'source'] });
}

/** Everything but plain allows, and what became of what was allowed. */
function signed(): Schema {
  const unsigned = [
    { required: ['verdict'], properties: { verdict: { const: 'allow' } } },
    { properties: { action: { enum: ['connection_closed', 'result'] } } },
  ];
  return { anyOf: [{ required: ['sig'] }, ...unsigned] };
}

const implies = (one: Schema, other: Schema): Schema => ({ anyOf: [{ not: one }, other] });
const NAMES = Object.keys(MEMBERS) as (keyof typeof MEMBERS)[];
const isBytes = (name: string) => name.endsWith('Bytes');
const COUNT = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const HASH = { type: 'string', pattern: '^[0-9a-f]{64}$' };
const TIMES = { type: 'string', pattern: TIME, description: 'RFC 3339, UTC, milliseconds. Recorded, never trusted.' };
const CHAIN: Schema = {
  v: { const: 1, description: 'Version of the format.' },
  seq: { type: 'integer', ...COUNT, minimum: 1, description: 'Number of the entry in the log.' },
  prev: { ...HASH, description: 'Hash of the entry before; zeros in the first.' },
  hash: { ...HASH, description: 'SHA-256 of the canonical form without `hash` and `sig`.' },
  sig: { type: 'string', pattern: '^[A-Za-z0-9+/]{86}==$', description: 'Ed25519 signature of the hash, base64.' },
};
