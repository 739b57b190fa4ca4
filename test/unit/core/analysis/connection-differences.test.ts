import { expect, it } from 'vitest';
import { compareConnections } from '../../../../src/core/analysis/connection-differences.ts';
import { imageOf } from '../../../support/policy.ts';

/** What is different, as `what before → after @ connection`, with a plus where a run may do more. */
function compare(before: string[], after: string[]): string[] {
  const [one, other] = [before, after].map((rules) =>
    imageOf(`  - action: network\n    rules:\n${rules.map((rule) => `      - { ${rule} }\n`).join('')}`),
  );
  return compareConnections(one!, other!).map(
    ({ what, before: from, after: to, loosens, witness }) =>
      `${loosens ? '+' : ''}${what} ${from} → ${to} @ ${witness.name}:${witness.port}`,
  );
}

const inject = 'inspect: true, inject: [{ header: cookie, value: "a={secret}", secret: "env:KEY" }]';

it.each([
  ['nothing', 'effect: allow', 'effect: allow', []],
  ['nothing where the word changes what is the rule anyway', 'effect: allow', 'effect: allow, sni: required', []],
  ['inspection', 'effect: allow', 'effect: allow, inspect: true', ['inspect no → yes @ a.test:443']],
  ['its end', 'effect: allow, inspect: true', 'effect: allow', ['+inspect yes → no @ a.test:443']],
  ['what TLS may name', 'effect: allow', 'effect: allow, sni: any', ['+sni required → any @ a.test:443']],
  [
    'a secret',
    'effect: allow, inspect: true',
    `effect: allow, ${inject}`,
    ['+inject nothing → cookie: a={secret} (secret of KEY) @ a.test:443'],
  ],
  [
    'a secret and inspection of what was refused',
    'effect: deny',
    `effect: allow, ${inject}`,
    ['inspect no → yes @ a.test:443', '+inject nothing → cookie: a={secret} (secret of KEY) @ a.test:443'],
  ],
  [
    'inspection of some requests',
    'effect: deny',
    'effect: allow, inspect: true, methods: [GET]',
    ['inspect no → yes @ a.test:443'],
  ],
  ['nothing that is refused now', 'effect: allow, inspect: true', 'effect: deny', []],
])('finds %s', (_what, before, after, expected) => {
  const rule = (more: string) => [`destination: "a.test:443", ${more}`];
  expect(compare(rule(before), rule(after))).toEqual(expected);
});
