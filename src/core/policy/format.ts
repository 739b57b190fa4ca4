import { ACTION, type ActionName, EFFECT } from '../wire/messages.ts';
import { CACHE_TOOLS, CACHE_USES } from './cache-tools.ts';
import { INJECTION_PATTERNS, MOST_INJECTIONS_OF_A_RULE, SNI } from './connection-terms.ts';
import { ON_TIGHTEN, SUBJECT_OF, type SubjectKey } from './document.ts';

/**
 * The keys of a policy file, each with what it means and, as a JSON Schema, what its value looks like. The parser takes the names from here, and
 * policies/schema.json is made from here; a test holds both against each other.
 */
export type Format = Readonly<Record<string, { about: string; schema: Schema; required?: true }>>;
export type Schema = Readonly<Record<string, unknown>>;

export const ACTIONS: readonly ActionName[] = (Object.keys(ACTION) as ActionName[]).filter(
  (name) => SUBJECT_OF[name] !== null,
);

/** A whole number without leading zero, up to `most`, as a regular expression. */
function upTo(most: number): string {
  const digits = String(most);
  const parts = digits.length > 1 ? [digits.length > 2 ? `[1-9][0-9]{0,${digits.length - 2}}` : '[1-9]'] : [];
  for (let at = 0; at < digits.length; at++) {
    const least = at === 0 ? 1 : 0;
    const below = Number(digits[at]) - 1;
    const rest = digits.length - at - 1;
    if (below >= least) parts.push(`${digits.slice(0, at)}[${least}-${below}]${rest > 0 ? `[0-9]{${rest}}` : ''}`);
  }
  return `(?:${[...parts, digits].join('|')})`;
}

const STRING = { type: 'string' };
const BOOLEAN = { type: 'boolean' };
const STRINGS = { anyOf: [STRING, { type: 'array', items: STRING }] };
const ANY_NUMBER = '[1-9][0-9]{0,6}';
const effect = { enum: Object.keys(EFFECT) };
const stringsLike = (pattern: string): Schema => {
  const item = { type: 'string', pattern };
  return { anyOf: [item, { type: 'array', items: item }] };
};
const durationUpTo24h = `^(?:${ANY_NUMBER}ms|${upTo(86_400)}s|${upTo(1440)}m|${upTo(24)}h)$`;
const METHOD = '^(?!CONNECT$)[A-Z]+(?:-[A-Z]+)*$';
const VARIABLES = stringsLike('^[A-Za-z0-9_.*:/-]{1,256}$');

export const ENV_KEYS: Format = {
  drop: { about: 'Variables that a run does not get; * stands for any characters.', schema: VARIABLES },
  pass: { about: 'Variables that it gets although something that this file builds on drops them.', schema: VARIABLES },
};

export const LIMIT_KEYS: Format = {
  processes: { about: 'Processes and threads at once.', schema: { type: 'integer', minimum: 1, maximum: 4_194_304 } },
  memory: {
    about: 'Memory of the run, as 512MiB or 4GiB.',
    schema: {
      type: 'string',
      pattern: `^(?:(?:1[6-9]|[2-9][0-9]|[1-9][0-9]{2,6})MiB|${upTo(4_194_304)}GiB|${upTo(4096)}TiB)$`,
    },
  },
  cpuTime: {
    about: 'Processor time of each process, as 90s, 30m or 2h.',
    schema: { type: 'string', pattern: `^(?:${ANY_NUMBER}s|${upTo(527_040)}m|${upTo(8784)}h)$` },
  },
  openFiles: {
    about: 'Files that each process may hold open.',
    schema: { type: 'integer', minimum: 16, maximum: 1_073_741_816 },
  },
};

const CACHE_KEYS: Format = Object.fromEntries(
  Object.keys(CACHE_TOOLS).map((tool) => [
    tool,
    {
      about: `The cache of ${tool}: the user's own, one of the workspace, or one of the run.`,
      schema: { enum: Object.keys(CACHE_USES) },
    },
  ]),
);

export const INJECTION_KEYS: Format = {
  header: {
    about: 'The name of the header, in lower case.',
    schema: { type: 'string', pattern: INJECTION_PATTERNS.header },
    required: true,
  },
  value: {
    about: 'What it says, with {secret} once where the secret stands, as "Bearer {secret}".',
    schema: { type: 'string', pattern: INJECTION_PATTERNS.value },
    required: true,
  },
  secret: {
    about: 'The variable of your environment that holds the secret, as env:EXAMPLE_TOKEN.',
    schema: { type: 'string', pattern: INJECTION_PATTERNS.secret },
    required: true,
  },
};

/** What a key of rules needs beside its own form. */
export const RULE_KEYS: Format = {
  effect: {
    about: 'What happens. The strictest matching rule wins: deny, ask, shadow, allow.',
    schema: effect,
    required: true,
  },
  reason: { about: 'Shown with a refusal, and kept in the receipt.', schema: STRING },
  override: {
    about: 'An exception: takes stricter rules of this file, its parents and the built-in guards out of play.',
    schema: BOOLEAN,
  },
  log: { about: 'Whether allowed requests get a receipt.', schema: BOOLEAN },
  timeout: { about: 'How long an ask waits, at most 24h.', schema: { type: 'string', pattern: durationUpTo24h } },
};

export const KEYS_OF_SUBJECT: Readonly<Record<SubjectKey, Format>> = {
  path: {
    path: { about: 'Absolute, ~/ (home), ./ (workspace), or at any depth.', schema: STRINGS, required: true },
    hide: { about: 'With deny of file_read: the name looks as if it were not there.', schema: BOOLEAN },
  },
  command: {
    command: {
      about: 'Program and arguments; " *" at the end takes the bare command too.',
      schema: STRINGS,
      required: true,
    },
    children: {
      about: 'check: what an allowed command starts is judged by itself.',
      schema: { enum: ['allow', 'check'] },
    },
  },
  destination: {
    destination: {
      about: 'host, *.host, address, range, localhost or *, then :port if not every port is meant.',
      schema: STRINGS,
      required: true,
    },
    methods: { about: 'Only these methods of requests, plain or inspected.', schema: stringsLike(METHOD) },
    paths: { about: 'Only these paths of requests, plain or inspected.', schema: STRINGS },
    inspect: {
      about: 'Whether the daemon opens TLS to decide each request; of all rules that match true counts.',
      schema: BOOLEAN,
    },
    sni: {
      about: 'What the name in the TLS handshake must be: required, match (if there is one) or any.',
      schema: { enum: Object.keys(SNI) },
    },
    inject: {
      about: 'Headers that the daemon puts into inspected requests, with secrets that the run does not get.',
      schema: {
        type: 'array',
        maxItems: MOST_INJECTIONS_OF_A_RULE,
        items: closed(INJECTION_KEYS),
      },
    },
  },
};

export const BLOCK_KEYS: Format = {
  action: {
    about: 'What the rules are about: one action, or several with the same kind of target.',
    schema: {},
    required: true,
  },
  defaultEffect: { about: 'What holds when nothing matches; of all files the strictest counts.', schema: effect },
  log: { about: 'Whether allowed requests of these actions get a receipt.', schema: BOOLEAN },
  rules: { about: 'The strictest matching rule wins, wherever it stands.', schema: { type: 'array' } },
};

export const POLICY_KEYS: Format = {
  version: { about: 'The version of the format.', schema: { const: 1 }, required: true },
  name: { about: 'What receipts and lists call the policy.', schema: STRING, required: true },
  description: { about: 'One line for people.', schema: STRING },
  extends: { about: 'Presets by name, files by a path relative to this one.', schema: STRINGS },
  variables: {
    about: 'Pieces of patterns, by name; a pattern uses them with a dollar sign and braces.',
    schema: { type: 'object', propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }, additionalProperties: STRING },
  },
  env: { about: 'What of the environment a run gets.', schema: closed(ENV_KEYS) },
  limits: { about: 'How much a run may use; of all files the strictest counts.', schema: closed(LIMIT_KEYS) },
  caches: { about: 'Whose caches the tools of a run use.', schema: closed(CACHE_KEYS) },
  onTighten: {
    about:
      'When a change refuses what a run may read by itself: it ends, or a warning says so. Of all files end counts.',
    schema: { enum: ON_TIGHTEN },
  },
  policies: { about: 'Blocks of rules. Several of one action add up.', schema: { type: 'array' } },
};

/** A mapping with these keys and no others. */
export function closed(format: Format): Schema {
  const required = Object.keys(format).filter((key) => format[key]!.required);
  return {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(format).map(([key, { about, schema }]) => [key, { description: about, ...schema }]),
    ),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
}
