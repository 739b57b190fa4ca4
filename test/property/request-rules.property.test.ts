import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decideHost } from '../../src/core/engine/decide.ts';
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
