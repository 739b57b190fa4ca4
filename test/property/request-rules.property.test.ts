import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decideHost } from '../../src/core/engine/decide.ts';
import { egressTermsFor, mayInspect } from '../../src/core/engine/egress-terms.ts';
import { mayReach } from '../../src/core/engine/may-reach.ts';
import { bytes, openTexts, type SourceText } from '../support/policy.ts';

/**
 * Of a tunnel it is not known what it will carry. So nothing has to look into TLS, and no hook has to look at requests before they are encrypted: what is
 * let through as a tunnel would be let through request by request.
 */
it('a tunnel is allowed only where every request through it is', () => {
  let allowed = 0;
  fc.assert(
    fc.property(policies, requests, (texts, asked) => {
      const image = openTexts(texts);
      for (const name of HOSTS) {
        if (decideHost(image, { name, port: 443 }).effect !== 'allow') continue;
        allowed++;
        for (const request of asked) expect(decideHost(image, { name, port: 443, request }).effect).toBe('allow');
      }
    }),
    { numRuns: 300 },
  );
  expect(allowed).toBeGreaterThan(50);
});

it('a rule that inspects opens nothing by itself: what it lets through is decided request by request', () => {
  let opened = 0;
  fc.assert(
    fc.property(inspectingPolicies, requests, ([texts, without], asked) => {
      const [image, plain] = [openTexts(texts), openTexts(without)];
      for (const endpoint of HOSTS.map((name) => ({ name, port: 443 }))) {
        const { inspect } = egressTermsFor(image, endpoint);
        if (!inspect && decideHost(image, endpoint).effect === 'allow')
          expect(decideHost(plain, endpoint).effect).toBe('allow');
        const passing = asked.filter((request) => decideHost(image, { ...endpoint, request }).effect === 'allow');
        if (!inspect || passing.length === 0) continue;
        opened++;
        expect(mayInspect(image, endpoint)).toBe(true);
      }
    }),
    { numRuns: 150 },
  );
  expect(opened).toBeGreaterThan(20);
});

const HOSTS = ['a.test', 'b.a.test', 'c.test'];
const METHODS = ['GET', 'POST', 'DELETE'];

const rule = fc
  .record({
    destination: fc.constantFrom(...HOSTS, '*.a.test', '*', 'a.test:443', 'c.test:80'),
    verdict: fc.constantFrom(
      { effect: 'allow' },
      { effect: 'allow', override: true },
      { effect: 'deny' },
      { effect: 'ask' },
    ),
    methods: fc.option(fc.uniqueArray(fc.constantFrom(...METHODS), { minLength: 1 }), { nil: undefined }),
    paths: fc.option(fc.constantFrom(['/v1/**'], ['/'], ['/v1/a', '/x/*']), { nil: undefined }),
  })
  .map(({ verdict, ...rest }) => ({ ...rest, ...verdict }));

const policy = fc
  .record({ rules: fc.array(rule, { minLength: 1, maxLength: 5 }), defaultEffect: fc.constantFrom('allow', 'deny') })
  .map((entry) => `version: 1\nname: any\npolicies: ${JSON.stringify([{ action: 'network', ...entry }])}\n`);

const policies: fc.Arbitrary<SourceText[]> = fc
  .tuple(policy, fc.option(policy, { nil: undefined }))
  .map(([user, system]) => [
    { layer: 'user' as const, text: user },
    ...(system === undefined ? [] : [{ layer: 'system' as const, text: system }]),
  ]);

/** A policy of which some rules inspect, and the same without these rules. */
const inspectingPolicies: fc.Arbitrary<readonly [SourceText[], SourceText[]]> = fc
  .tuple(
    fc.array(fc.tuple(rule, fc.boolean()), { minLength: 1, maxLength: 5 }),
    fc.constantFrom('allow', 'deny'),
    fc.constantFrom(undefined, false),
  )
  .map(([rules, defaultEffect, exception]) => {
    const inspects = (one: { effect: string }, chosen: boolean) => chosen && one.effect !== 'deny';
    const all = rules.map(([one, chosen]) => {
      if (inspects(one, chosen)) return { ...one, inspect: true };
      return 'override' in one && one.effect === 'allow' && exception === false ? { ...one, inspect: false } : one;
    });
    const plain = rules.filter(([one, chosen]) => !inspects(one, chosen)).map(([one]) => one);
    const text = (entries: unknown) =>
      `version: 1\nname: any\npolicies: ${JSON.stringify([{ action: 'network', defaultEffect, rules: entries }])}\n`;
    return [[{ layer: 'user', text: text(all) }], [{ layer: 'user', text: text(plain) }]] as const;
  });

const requests = fc.array(
  fc.record({
    method: fc.constantFrom(...METHODS, 'PATCH'),
    path: fc.constantFrom(bytes('/'), bytes('/v1/a'), bytes('/x/y'), bytes('/other'), undefined),
  }),
  { minLength: 1, maxLength: 6 },
);

it('a name is kept from resolving only where every connection to it would be refused', () => {
  let unreachable = 0;
  fc.assert(
    fc.property(policies, requests, (texts, asked) => {
      const image = openTexts(texts);
      for (const name of HOSTS) {
        if (mayReach(image, name)) continue;
        unreachable++;
        for (const port of [1, 80, 443, 65_535])
          for (const request of [undefined, ...asked])
            expect(decideHost(image, { name, port, request }).effect).toBe('deny');
      }
    }),
    { numRuns: 300 },
  );
  expect(unreachable).toBeGreaterThan(50);
});
