import { ENFORCE_LEVELS, MOST_SECRET, RUN_NAME, SECRET_VALUE } from '../../core/contract/control-api.ts';

/** JSON Schemas of the control API's requests: closed objects, bounded arrays and texts. */

const absolutePath = { type: 'string', pattern: '^/[^\\u0000]*$', maxLength: 4096 } as const;

export const CREATE_RUN_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['argv', 'cwd', 'clientPid'],
  properties: {
    argv: {
      type: 'array',
      minItems: 1,
      maxItems: 65_536,
      items: { type: 'string', pattern: '^[^\\u0000]*$', maxLength: 131_072 },
    },
    cwd: absolutePath,
    name: { type: 'string', pattern: RUN_NAME.source },
    policy: { type: 'string', pattern: '^[^\\u0000]+$', maxLength: 4096 },
    netAllow: { type: 'array', maxItems: 1024, items: { type: 'string', minLength: 1, maxLength: 1024 } },
    simulate: { type: 'boolean' },
    enforce: { type: 'string', enum: ENFORCE_LEVELS },
    hooks: { type: 'boolean' },
    quietHook: { type: 'boolean' },
    caFiles: { type: 'array', maxItems: 32, items: absolutePath },
    clientPid: { type: 'integer', minimum: 1, maximum: 4_194_304 },
  },
} as const;

export const GIVE_SECRETS_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['secrets'],
  properties: {
    secrets: {
      type: 'object',
      maxProperties: 256,
      propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]{0,255}$' },
      additionalProperties: { type: 'string', maxLength: MOST_SECRET, pattern: SECRET_VALUE },
    },
  },
} as const;

/** A POST without input: no body, or an empty object. */
export const NO_BODY_SCHEMA = {
  anyOf: [{ type: 'null' }, { type: 'object', additionalProperties: false, properties: {} }],
} as const;

export const RUN_ID_SCHEMA = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'string', pattern: RUN_NAME.source } },
} as const;
