import { describe, expect, it } from 'vitest';
import { PolicyError } from '../../../../src/core/policy/policy-error.ts';
import { compileTexts, openTexts, type SourceText } from '../../../support/policy.ts';

const text = (rule: string): string =>
  `version: 1\nname: x\npolicies:\n  - action: network\n    rules:\n      - { ${rule} }\n`;
const rule = (more: string, destination = 'api.test:443', effect = 'allow'): string =>
  text(`destination: "${destination}", effect: ${effect}, ${more}`);

function problemsOf(policy: string): string[] {
  try {
    compileTexts([{ layer: 'user', text: policy }]);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return error.problems.map(({ line, column, text: what, remedy }) => `${line}:${column} ${what}; ${remedy ?? ''}`);
  }
  return [];
}

const item = (more: Record<string, string>): string =>
  rule(
    `inspect: true, inject: [${JSON.stringify({ header: 'authorization', value: 'Bearer {secret}', secret: 'env:KEY', ...more })}]`,
  );

describe('what a network rule says of connections', () => {
  it('stands in the image with the rule', () => {
    const inject = `inject: [{ header: x-api-key, value: "{secret}", secret: "env:KEY" }]`;
    const { rules } = openTexts([{ layer: 'user', text: rule(`inspect: true, sni: match, ${inject}`) }]);
    expect(rules[0]?.terms).toEqual({
      inspect: true,
      sni: 'match',
      injections: [{ header: 'x-api-key', value: '{secret}', secret: 'KEY' }],
    });
  });

  it.each([
    ['inspect: yes', /^6:\d+ inspect must be true or false/],
    ['sni: strict', /^6:\d+ unknown value "strict" for sni; values are any, match, required$/],
    ['inject: []', /^6:\d+ inject needs inspect: true; requests are changed only where/],
    ['inspect: false, inject: []', /^6:\d+ inject needs inspect: true/],
    ['inspect: true, inject: {}', /^6:\d+ inject must be a list/],
    ['inspect: true, inject: [x]', /^6:\d+ an item of inject must be a mapping/],
    [
      'inspect: true, inject: [{ header: a }]',
      /^6:\d+ value and secret of inject missing; an item has header, value, secret$/,
    ],
    ['inspect: true, inject: [{ headers: a }]', /^6:\d+ unknown key "headers" in an item of inject/],
  ])('is refused with its place and a remedy as %s', (more, expected) => {
    expect(problemsOf(rule(more))).toEqual([expect.stringMatching(expected)]);
  });

  it.each(['deny', 'shadow'])('is refused on a rule that says %s', (effect) => {
    expect(problemsOf(rule('inspect: true', 'a.test', effect))).toEqual([
      expect.stringMatching(/^6:\d+ inspect belongs to rules that allow or ask/),
    ]);
  });

  it('is taken on a rule that asks', () => {
    expect(problemsOf(rule('inspect: true, sni: any', 'a.test', 'ask'))).toEqual([]);
  });

  it.each([
    [{ header: 'Authorization' }, 'has capital letters; write authorization'],
    [{ header: 'a b' }, 'is not the name of a header'],
    [{ header: '' }, 'is not the name of a header'],
    [{ header: 'x:y' }, 'is not the name of a header'],
    ...['host', 'content-length', 'transfer-encoding', 'connection', 'te', 'upgrade', 'proxy-authorization'].map(
      (header) => [{ header }, 'cannot be injected'] as const,
    ),
    ...['x-http-method-override', 'x-original-url'].map((header) => [{ header }, 'cannot be injected'] as const),
    [
      { value: 'Bearer' },
      'value has no one place for the secret, or is not printable; write printable ASCII with {secret} once',
    ],
    [{ value: '{secret}{secret}' }, 'value has no one place for the secret'],
    [{ value: 'a\r\nb: {secret}' }, 'value has no one place for the secret'],
    [{ value: ' {secret}' }, 'value has no one place for the secret'],
    [{ value: '{secret}\t' }, 'value has no one place for the secret'],
    [{ value: 'é{secret}' }, 'value has no one place for the secret'],
    [{ secret: 'KEY' }, 'secret names no variable; write env: and the name of a variable'],
    [{ secret: 'env:9KEY' }, 'secret names no variable'],
    [{ secret: 'env:A=B' }, 'secret names no variable'],
    [{ secret: 'sk-abc' }, 'never the secret itself'],
  ] as const)('injects no %j', (more, expected) => {
    expect(problemsOf(item(more))).toEqual([expect.stringContaining(expected)]);
  });

  it.each([{ header: 'cookie' }, { header: 'x-api-key' }, { value: 'Basic {secret}=={x}' }, { secret: 'env:_k9' }])(
    'injects %j',
    (more) => {
      expect(problemsOf(item(more))).toEqual([]);
    },
  );

  it('never repeats what was written in place of a secret', () => {
    const problems = problemsOf(item({ secret: 'sk-live-123', value: 'Bearer sk-live-123' }));
    expect([problems.length, problems.join().includes('sk-live-123')]).toEqual([2, false]);
  });

  it('injects a header once', () => {
    const one = '{ header: cookie, value: "{secret}", secret: "env:A" }';
    expect(problemsOf(rule(`inspect: true, inject: [${one}, ${one}]`))).toEqual([
      expect.stringContaining('header cookie is injected twice'),
    ]);
  });

  it.each(['*', '*:443', '10.0.0.0/8', '[2001:db8::]/32'])(
    'injects nothing for %s, which names no host',
    (destination) => {
      const inject = 'inspect: true, inject: [{ header: cookie, value: "{secret}", secret: "env:A" }]';
      expect(problemsOf(rule(inject, destination))).toEqual([
        expect.stringMatching(
          /^6:\d+ destination .*: a secret is not injected for everybody; name the hosts that may have it$/,
        ),
      ]);
      expect(problemsOf(rule('inspect: true', destination))).toEqual([]);
    },
  );

  it.each(['10.0.0.1', '[2001:db8::1]:443', 'localhost:8080', 'api.test'])('injects for %s', (destination) => {
    const inject = 'inspect: true, inject: [{ header: cookie, value: "{secret}", secret: "env:A" }]';
    const { warnings } = compileTexts([{ layer: 'user', text: rule(inject, destination) }]);
    expect(warnings).toEqual([]);
  });

  it('warns when every host beneath a name gets a secret', () => {
    const inject = 'inspect: true, inject: [{ header: cookie, value: "{secret}", secret: "env:A" }]';
    const { warnings } = compileTexts([{ layer: 'user', text: rule(inject, '*.api.test') }]);
    expect(warnings).toEqual([expect.stringContaining('every host beneath api.test gets the secret')]);
  });

  it('has no effect in a project file, which can only tighten, unless the user trusts it', () => {
    const own: SourceText = { layer: 'user', text: text('destination: "a.test", effect: allow') };
    const project = { layer: 'project' as const, text: rule('inspect: true, sni: required', 'a.test', 'ask') };
    const { warnings } = compileTexts([own, project]);
    expect(warnings).toEqual([expect.stringContaining('inspect, sni and inject of a project file have no effect')]);
    expect(openTexts([own, project]).rules.every(({ terms }) => terms.inspect === undefined)).toBe(true);
    const trusted = openTexts([own, { ...project, trusted: true } as SourceText]);
    expect(trusted.rules.some(({ terms }) => terms.inspect === true)).toBe(true);
  });

  it('is bounded', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, n) => `{ header: x-${n}, value: "{secret}", secret: "env:A" }`).join();
    expect(problemsOf(rule(`inspect: true, inject: [${many(17)}]`))).toEqual([
      expect.stringContaining('inject has more than 16 headers'),
    ]);
    const hosts = Array.from({ length: 65 }, (_, n) => `"h${n}.test"`).join();
    const wide = text(`destination: [${hosts}], effect: allow, inspect: true, inject: [${many(16)}]`);
    expect(problemsOf(wide)).toEqual([expect.stringContaining('more than 1024 headers are injected')]);
  });
});
