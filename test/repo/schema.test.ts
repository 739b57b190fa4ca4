import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { PRESETS } from '../../src/adapters/policy-files/presets.ts';
import { initText, projectText } from '../../src/cli/init-text.ts';
import { parsePolicy } from '../../src/core/policy/parse.ts';
import { PolicyError } from '../../src/core/policy/policy-error.ts';
import { readJson, readText } from './project-files.ts';

const validate = new Ajv({ allErrors: true }).compile(readJson<Record<string, unknown>>('policies/schema.json'));

const parses = (text: string): boolean => {
  try {
    parsePolicy({ name: 'x', layer: 'user', text });
    return true;
  } catch (error) {
    if (error instanceof PolicyError) return false;
    throw error;
  }
};

describe('the schema that editors use', () => {
  it.each([...PRESETS, 'builtin/guards', 'builtin/protection'])('takes the shipped policy %s', (name) => {
    expect([validate(parse(readText(`policies/${name}.yaml`))), validate.errors]).toEqual([true, null]);
  });

  it.each([
    ['policy init', initText({ presets: ['default'], hosts: ['a.example:443'] })],
    ['policy init --project', projectText()],
  ])('takes what %s writes, which names it in its first line', (_name, text) => {
    expect([validate(parse(text)), parses(text)]).toEqual([true, true]);
    expect(text).toMatch(/^# yaml-language-server: \$schema=\/.*\/policies\/schema\.json\n/);
  });

  it('takes what the parser takes, and refuses what it refuses', () => {
    let refused = 0;
    fc.assert(
      fc.property(policy, (document) => {
        const accepted = parses(JSON.stringify(document));
        if (!accepted) refused++;
        expect([document, validate(document)]).toEqual([document, accepted]);
      }),
      { numRuns: 3000 },
    );
    expect(refused).toBeGreaterThan(300);
    expect(refused).toBeLessThan(2700);
  });
});

const odd = fc.constantFrom<unknown>('', 'x', 1, 0, 1.5, true, false, null, [], {}, ['x'], [1], [''], { x: 1 });
const usually = (...values: unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 150, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: odd });
/** Good values, and now and then one at the wrong side of a border. */
const mostly = (good: unknown[], bad: unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constantFrom(...bad, 'odd', 7) },
  );
/** Some of the keys, and now and then one that nobody knows. */
const mapping = (keys: Record<string, fc.Arbitrary<unknown>>, required: string[] = []): fc.Arbitrary<unknown> =>
  fc
    .tuple(
      fc.record(keys, { requiredKeys: required }),
      fc.oneof({ weight: 150, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.constant({ nobody: 1 }) }),
      fc.oneof({ weight: 150, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constantFrom('', ...required) }),
    )
    .map(([made, more, missing]) => {
      const all: Record<string, unknown> = { ...made, ...more };
      delete all[missing];
      return all;
    });

const flag = usually(true, false);
const duration = mostly(
  ['30s', '5m', '1h', '24h', '1440m', '86400s', '9999999ms'],
  ['25h', '1441m', '86401s', '0s', '1d', '05s'],
);
const rule = (subject: string, more: Record<string, fc.Arbitrary<unknown>>) =>
  mapping(
    {
      [subject]: usually('a', ['a', 'b'], []),
      effect: usually('allow', 'deny', 'ask', 'shadow'),
      reason: usually('why'),
      override: fc.oneof({ weight: 1, arbitrary: flag }, { weight: 3, arbitrary: fc.constant(false) }),
      log: flag,
      ...more,
    },
    [subject, 'effect'],
  );
const askRule = mapping({ path: usually('a'), effect: usually('ask'), timeout: duration }, ['path', 'effect']);
const hideRule = mapping({ path: usually('a'), effect: mostly(['deny'], ['allow']), hide: flag }, ['path', 'effect']);
const pathRule = fc.oneof(rule('path', {}), rule('path', {}), askRule, hideRule);
const commandRule = rule('command', { children: usually('allow', 'check') });
const hostRule = rule('destination', {
  methods: mostly(['GET', ['GET', 'X-Y'], []], ['CONNECT', 'get', ['GET', 'a b']]),
  paths: usually('/a', ['/a']),
});
const injection = mapping(
  {
    header: mostly(['cookie', 'x-api-key'], ['host', 'Cookie', 'a b', 'te', '']),
    value: mostly(
      ['{secret}', 'Bearer {secret}'],
      ['Bearer', '{secret}{secret}', ' {secret}', '{secret}\n', 'é{secret}'],
    ),
    secret: mostly(['env:A', 'env:_b9'], ['A', 'env:', 'env:9', 'env:a b']),
  },
  ['header', 'value', 'secret'],
);
const termsRule = mapping(
  {
    destination: usually('a'),
    effect: mostly(['allow', 'ask'], ['deny', 'shadow']),
    inspect: mostly([true, true, true], [false]),
    sni: mostly(['required', 'match', 'any'], ['strict']),
    inject: fc.oneof({ weight: 5, arbitrary: fc.array(injection, { maxLength: 1 }) }, { weight: 1, arbitrary: odd }),
  },
  ['destination', 'effect', 'inspect'],
);
const block = (actions: unknown[], rules: fc.Arbitrary<unknown>) =>
  mapping(
    {
      action: usually(...actions),
      defaultEffect: usually('allow', 'deny'),
      log: flag,
      rules: fc.oneof({ weight: 30, arbitrary: fc.array(rules, { maxLength: 2 }) }, { weight: 1, arbitrary: odd }),
    },
    ['action'],
  );
const blocks = fc.oneof(
  block(['file_read', 'file_read', ['file_read'], ['file_write', 'file_delete'], 'unix_socket'], pathRule),
  block(['shell_exec', ['shell_exec']], commandRule),
  block(['network', ['network']], fc.oneof(hostRule, termsRule)),
  block(
    ['network', ['network', 'network'], ['network', 'file_read'], 'tool_call'],
    fc.constant({ destination: 'a', effect: 'deny' }),
  ),
);
const policy = mapping(
  {
    version: usually(1),
    name: usually('x', ''),
    description: usually('y'),
    extends: usually('default', ['default', './x.yaml']),
    variables: fc.oneof(
      mapping({ a: usually('x'), _b9: usually('y') }),
      fc.constantFrom<unknown>({}, {}, {}, { '9a': 'x' }, { 'a-b': 'x' }),
    ),
    env: mapping({ drop: usually('A_*', ['A', 'B']), pass: mostly(['C', []], ['a b', '']) }),
    limits: mapping({
      processes: mostly([1, 512, 4_194_304], [4_194_305, 0, 1.5]),
      memory: mostly(['16MiB', '4GiB', '4096TiB', '4194304GiB'], ['15MiB', '4097TiB', '4194305GiB', '1GB']),
      cpuTime: mostly(['90s', '2h', '8784h', '527040m'], ['8785h', '527041m', '1ms']),
      openFiles: mostly([16, 4096], [15]),
    }),
    onTighten: mostly(['end', 'warn'], ['kill']),
    caches: mapping({ npm: mostly(['private', 'shared', 'workspace'], ['none']), go: usually('shared') }),
    policies: fc.oneof({ weight: 30, arbitrary: fc.array(blocks, { maxLength: 2 }) }, { weight: 1, arbitrary: odd }),
  },
  ['version', 'name'],
);
