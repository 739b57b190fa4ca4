import { describe, expect, it } from 'vitest';
import { decidePath } from '../../../../src/core/engine/decide.ts';
import { PolicyError } from '../../../../src/core/policy/policy-error.ts';
import { bytes, compileTexts, imageOf, openTexts } from '../../../support/policy.ts';

const policyOf = (paths: readonly string[]) => ({
  layer: 'user' as const,
  text: JSON.stringify({
    version: 1,
    name: 'x',
    policies: [{ action: 'file_read', defaultEffect: 'allow', rules: paths.map((path) => ({ path, effect: 'deny' })) }],
  }),
});
const many = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => make(index));

describe('automata', () => {
  it.each([
    ['directories', (i: number) => `./pkg${i % 97}/module${i}/**`, '/home/u/p/pkg5/module102/x', 102],
    ['files', (i: number) => `./packages/p${i % 311}/file-${i}.ts`, '/home/u/p/packages/p7/file-1873.ts', 1873],
    ['names at any depth', (i: number) => `**/secret-${i}.txt`, '/a/b/secret-2999.txt', 2999],
    ['directories at any depth', (i: number) => `**/vendor${i}/**`, '/a/vendor77/b/c', 77],
    ['parts of names', (i: number) => `**/*tok${i}en*`, '/a/x-tok1234en.json', 1234],
    ['endings', (i: number) => `**/*.x${i}`, '/a/file.x2500', 2500],
  ])('of 3000 rules for %s are few and right', (_, make, path, rule) => {
    const image = openTexts([policyOf(many(3000, make))]);
    expect(image.automata.file_read.length).toBeLessThanOrEqual(2);
    const decision = decidePath(image, 'file_read', bytes(path));
    expect([decision.effect, image.rules[decision.rule ?? -1]?.pattern]).toEqual(['deny', make(rule)]);
    expect(decidePath(image, 'file_read', bytes('/home/u/p/other')).effect).toBe('allow');
  });

  it('of hostile patterns are split and stay exact', () => {
    const paths = many(60, (i) => `**/*a${i}*b*c*`);
    const image = openTexts([policyOf(paths)]);
    expect(image.automata.file_read.length).toBeGreaterThan(1);
    expect(decidePath(image, 'file_read', bytes('/x/--a59--b--c--')).effect).toBe('deny');
    expect(decidePath(image, 'file_read', bytes('/x/--a59--c--b--')).effect).toBe('allow');
  });

  it('that would be too large are refused with the pattern, not built', () => {
    expect(() => compileTexts([policyOf(['**/*a?????????????????????????????'])])).toThrow(PolicyError);
    expect(() => compileTexts([policyOf(many(3000, (i) => `**/*a${i}*b${i}*c*`))])).toThrow(
      /have too many wildcards together/,
    );
  });

  it('decide long paths against costly patterns in linear time', () => {
    const image = imageOf(
      '  - action: file_read\n    rules: [{ path: ["**/a/**/a/**/a/**/a/**/b", "**/*a*a*a*a*b", "**/{a,aa}*{a,aa}*{a,aa}*c"], effect: allow }]\n',
    );
    const timeOf = (length: number) => {
      const path = bytes(`/${'a/'.repeat(length)}${'a'.repeat(length)}x`);
      const started = performance.now();
      for (let round = 0; round < 5; round++) expect(decidePath(image, 'file_read', path).effect).toBe('deny');
      return performance.now() - started;
    };
    // The best of many, in turn: what else the machine does is not in it. Quadratic time would be 256 times as long.
    const best = { short: Number.POSITIVE_INFINITY, long: Number.POSITIVE_INFINITY };
    for (let round = 0; round < 20; round++) {
      best.short = Math.min(best.short, timeOf(2000));
      best.long = Math.min(best.long, timeOf(32_000));
    }
    expect(best.long).toBeLessThan(100 * Math.max(0.05, best.short));
  });
});
