import { expect, it } from 'vitest';
import { lintImage } from '../../../../src/core/analysis/lint.ts';
import { PolicyImage } from '../../../../src/core/engine/image.ts';
import { compileLayers } from '../../../../src/core/policy/compile.ts';
import { readLayers } from '../../../../src/core/policy/layers.ts';
import { tabulateRules } from '../../../../src/core/policy/rules.ts';
import { ROOTS } from '../../../support/policy.ts';

/** Findings of one user policy, as `kind pattern → other pattern @ subject`. */
function lint(policies: string): string[] {
  const builtIn = (['protection', 'guards'] as const).map((layer) => ({
    name: layer,
    layer,
    text: `version: 1\nname: ${layer}\n`,
  }));
  const text = `version: 1\nname: x\npolicies:\n${policies}`;
  const layers = readLayers([...builtIn, { name: 'user:x.yaml', layer: 'user', text }], () => null);
  const image = PolicyImage.open(compileLayers(layers, ROOTS).image, '');
  const pattern = (rule: number | null) => (rule === null ? '-' : image.rules[rule]!.pattern);
  return lintImage(image, tabulateRules(layers, ROOTS, []), ROOTS, new Set([2])).map(
    ({ kind, rule, other, subject }) =>
      `${kind} ${pattern(rule)} → ${pattern(other)} @ ${subject ? Buffer.from(subject).toString() : '-'}`,
  );
}

it.each([
  [
    'a rule that a stricter one covers',
    '[{ path: "./src/*.ts", effect: allow }, { path: "./**", effect: deny }]',
    ['never-decides ./src/*.ts → ./** @ /home/u/p/src/.ts'],
  ],
  [
    'a rule that earlier ones cover only together',
    '[{ path: "/a/[a-m]*", effect: deny }, { path: "/a/[!a-m]*", effect: deny }, { path: "/a/*", effect: allow }]',
    ['never-decides /a/* → /a/[a-m]* @ /a/a'],
  ],
  [
    'a rule that says what is said already',
    '[{ path: "/a/**", effect: deny }, { path: "/a/b/**", effect: deny }]',
    ['never-decides /a/b/** → /a/** @ /a/b'],
  ],
  [
    'an exception and what it opens',
    '[{ path: "**/*.key", effect: deny }, { path: "/a/*.key", effect: allow, override: true }]',
    ['pierces /a/*.key → **/*.key @ /a/.key'],
  ],
  [
    'nothing in rules that all decide something',
    '[{ path: "/a/*.c", effect: allow }, { path: "/a/b.c", effect: deny }]',
    [],
  ],
  [
    'a secret within reach',
    '[{ path: "~/.aws/**", effect: allow }]',
    ['covers-secret ~/.aws/** → - @ /home/u/.aws/credentials'],
  ],
])('finds %s', (_name, rules, expected) => {
  expect(lint(`  - { action: file_read, defaultEffect: deny, rules: ${rules} }`)).toEqual(expected);
});

it('finds a secret that nothing but the default opens', () => {
  expect(lint('  - { action: file_read, defaultEffect: allow }')).toEqual([
    expect.stringMatching(/^covers-secret - → - @ \/home\/u\/\.ssh\/id_/),
  ]);
});

it('finds commands that another rule covers', () => {
  const rules = '[{ command: "git *", effect: deny }, { command: "git push origin", effect: ask }]';
  expect(lint(`  - { action: shell_exec, rules: ${rules} }`)).toEqual([
    'never-decides git push origin → git * @ /git push origin',
  ]);
});

it('finds hosts that take uploads, and destinations that another rule covers', () => {
  const rules =
    '[{ destination: "*.github.com", effect: allow }, { destination: "api.github.com:443", effect: allow }]';
  expect(lint(`  - { action: network, rules: ${rules} }`)).toEqual([
    'never-decides api.github.com:443 → *.github.com @ api.github.com:443',
    'accepts-uploads *.github.com → - @ api.github.com:443',
  ]);
});

it.each([
  ['methods that TLS hides', 'methods: [GET]', 'a.test:443', ['not-seen']],
  ['paths that TLS hides', 'paths: ["/v1/**"]', 'a.test:443', ['not-seen']],
  ['nothing where they are seen', 'inspect: true, methods: [GET]', 'a.test:443', []],
  ['nothing where they may be seen', 'methods: [GET]', 'a.test', []],
  ['inspection that lets TLS name anybody', 'inspect: true, sni: any', 'a.test:443', ['inspects-any-name']],
])('finds %s', (_name, more, destination, expected) => {
  const rules = `[{ destination: "${destination}", effect: allow, ${more} }]`;
  expect(lint(`  - { action: network, rules: ${rules} }`)).toEqual(
    expected.map((kind) => `${kind} ${destination} → - @ -`),
  );
});

it('calls no rule idle for what it says of connections', () => {
  const rules = '[{ destination: "*", effect: allow }, { destination: "a.test", effect: allow, inspect: true }]';
  const found = (text: string) => lint(text).filter((line) => line.includes('a.test'));
  expect(found(`  - { action: network, rules: ${rules} }`)).toEqual([]);
  expect(found(`  - { action: network, rules: ${rules.replace(', inspect: true', '')} }`)).toHaveLength(1);
});

it('does not call a rule idle that decides in one of its actions', () => {
  expect(
    lint(`  - action: [file_read, file_write]
    rules: [{ path: "/a/*.c", effect: allow }]
  - action: file_write
    rules: [{ path: "/a/*.c", effect: deny }]`),
  ).toEqual([]);
});

it('names every idle rule of very many, with examples for the first of them', () => {
  const covered = Array.from({ length: 130 }, (_, index) => `{ path: "/a/${index}.c", effect: deny }`);
  const found = lint(`  - { action: file_read, rules: [{ path: "/a/**", effect: deny }, ${covered.join(', ')}] }`);
  expect(found).toHaveLength(130);
  expect(found.filter((line) => line.endsWith('@ -'))).toHaveLength(30);
});
