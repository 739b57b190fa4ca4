import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Attempt, suggestRules } from '../../src/core/analysis/net-suggest.ts';
import { type Address, parseAddress } from '../../src/core/egress/address.ts';
import { classOf } from '../../src/core/egress/address-class.ts';
import { decideHost } from '../../src/core/engine/decide.ts';
import type { PolicyImage } from '../../src/core/engine/image.ts';
import { openTexts } from '../support/policy.ts';

const NAMES = ['a.test', 'b.test', 'c.b.test', 'd.b.test', 'test', 'xn--bcher-kva.test'];
const ADDRESSES = ['93.184.216.34', '2606:2800:220:1::1', '10.0.0.1', '127.0.0.1', '169.254.169.254', '::1'];
const PORTS = [1, 79, 80, 81, 443, 8000, 8001, 8002, 8003, 65_535];

const attempt: fc.Arbitrary<Attempt> = fc.record(
  {
    destination: fc.constantFrom(...NAMES, ...NAMES, ...ADDRESSES, 'not a host\u001b[2J', undefined),
    port: fc.constantFrom(...PORTS, 0, undefined),
    via: fc.constantFrom('connect', 'transparent', 'http', 'socks', 'dns', undefined),
    verdict: fc.constantFrom('deny', 'deny', 'would-deny', 'allow'),
    source: fc.constantFrom(...Array(8).fill('default'), 'rule', 'silence', 'protection', 'internal'),
    reason: fc.constantFrom(...Array(4).fill('no-rule'), undefined, 'special-address', 'sni-mismatch'),
    count: fc.constantFrom(1, 3, undefined),
  },
  { requiredKeys: ['destination', 'port', 'via', 'verdict', 'source', 'reason'] },
);

/** What the suggestion is for, said a second time and plainly. */
function wanted(attempts: readonly Attempt[]): Set<string> {
  const asked = attempts.filter(
    ({ verdict, source, reason, via, destination = '' }) =>
      verdict !== 'allow' &&
      source === 'default' &&
      via !== undefined &&
      (reason === undefined || reason === 'no-rule') &&
      (NAMES.includes(destination) || (ADDRESSES.includes(destination) && isPublic(destination))),
  );
  const tried = asked.filter(({ via, port = 0 }) => via !== 'dns' && port > 0);
  const known = new Set(tried.map(({ destination }) => destination));
  const alone = asked.filter(({ via, destination }) => via === 'dns' && !known.has(destination));
  return new Set([
    ...tried.map((one) => `${one.destination} ${one.port}`),
    ...alone.map((one) => `${one.destination} 443`),
  ]);
}

const isPublic = (text: string): boolean => classOf(parseAddress(text)!) === 'public';

const imageOf = (destinations: readonly string[]): PolicyImage =>
  openTexts([
    {
      layer: 'user',
      text: `version: 1\nname: s\npolicies: ${JSON.stringify([
        { action: 'network', rules: destinations.map((destination) => ({ destination, effect: 'allow' })) },
      ])}\n`,
    },
  ]);

function isAllowed(image: PolicyImage, host: string, port: number): boolean {
  const address: Address | undefined = parseAddress(host);
  return decideHost(image, address ? { address, port } : { name: host, port }).effect === 'allow';
}

it('what is suggested allows everything that was refused for want of a rule and nothing else, and can do without no part', () => {
  let suggested = 0;
  fc.assert(
    fc.property(fc.array(attempt, { minLength: 2, maxLength: 12 }), (attempts) => {
      const expected = wanted(attempts);
      const all = suggestRules(attempts).rules.flatMap(({ destinations }) => destinations);
      suggested += all.length;
      const image = imageOf(all);
      const allowed = [...NAMES, ...ADDRESSES, 'x.a.test', 'other.test'].flatMap((host) =>
        PORTS.filter((port) => isAllowed(image, host, port)).map((port) => `${host} ${port}`),
      );
      expect(new Set(allowed)).toEqual(expected);
      for (const one of all) {
        const without = imageOf(all.filter((other) => other !== one));
        const lost = [...expected].some((pair) => {
          const [host = '', port] = pair.split(' ');
          return !isAllowed(without, host, Number(port));
        });
        expect([one, lost]).toEqual([one, true]);
      }
    }),
    { numRuns: 200 },
  );
  expect(suggested).toBeGreaterThan(100);
});

it('every refusal is either suggested or named with what stood in the way', () => {
  fc.assert(
    fc.property(fc.array(attempt, { maxLength: 12 }), (attempts) => {
      const { rules, notSuggested } = suggestRules(attempts);
      const told = [...rules, ...notSuggested].reduce((sum, { attempts: times }) => sum + times, 0);
      const refused = attempts.filter(({ verdict }) => verdict !== 'allow');
      expect(told).toBe(refused.reduce((sum, { count = 1 }) => sum + count, 0));
    }),
    { numRuns: 300 },
  );
});
