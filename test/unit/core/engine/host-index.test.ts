import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Address, parseAddress } from '../../../../src/core/egress/address.ts';
import { classOf } from '../../../../src/core/egress/address-class.ts';
import { type HostRequest, matchEndpoint, namesTarget } from '../../../../src/core/engine/decide.ts';
import { HostIndex } from '../../../../src/core/engine/host-index.ts';
import type { HostView } from '../../../../src/core/engine/image.ts';
import { HOST_KIND } from '../../../../src/core/policy/destination.ts';
import { imageOf } from '../../../support/policy.ts';

const label = fc.constantFrom('a', 'b', 'xa', 'test');
const name = fc.oneof(
  fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.')),
  fc.constantFrom('localhost', 'a.localhost', 'a..b', '.a', 'a.', ''),
);
const address = fc
  .oneof(
    fc.tuple(...Array.from({ length: 4 }, () => fc.constantFrom(0, 10, 127, 128, 255))).map((parts) => parts.join('.')),
    fc.constantFrom('::', '::1', '2001:db8::1', '2001:db9::', 'fe80::1', '::ffff:10.0.0.1', '64:ff9b::a00:1'),
  )
  .map((text) => parseAddress(text) as Address);
const ports = fc.tuple(fc.constantFrom(1, 80, 443), fc.constantFrom(443, 8080, 65_535));
const entry: fc.Arbitrary<Omit<HostView, 'rule'>> = fc
  .record({
    kind: fc.constantFrom(...Object.values(HOST_KIND), 99),
    host: name,
    address,
    prefixLength: fc.oneof(fc.integer({ min: 0, max: 128 }), fc.constantFrom(0, 96, 104, 112, 128)),
    ports,
  })
  .map(({ ports: [portLow, portHigh], ...rest }) => ({ ...rest, portLow, portHigh }));
const entries = fc
  .array(entry, { maxLength: 60 })
  .map((made): HostView[] => made.map((host, rule) => ({ ...host, rule })));
const request: fc.Arbitrary<HostRequest> = fc
  .record({
    name: fc.option(name, { nil: undefined }),
    address: fc.option(address, { nil: undefined }),
    port: fc.constantFrom(1, 79, 80, 443, 8080, 65_535),
  })
  .map((made) => made as HostRequest);

it('entries that are looked up are those that looking at all of them finds, in the same order', () => {
  const empty = imageOf('  - { action: network, rules: [] }');
  let found = 0;
  fc.assert(
    fc.property(entries, fc.array(request, { minLength: 5, maxLength: 20 }), (hosts, requests) => {
      const index = new HostIndex(hosts);
      for (const asked of requests) {
        const classed = asked.address && classOf(asked.address as Address);
        const speaks = (host: HostView) => namesTarget(host, asked, classed);
        const linear = hosts.filter(speaks);
        expect(index.candidates(asked).filter(speaks)).toEqual(linear);
        const inReach = linear.filter(({ portLow, portHigh }) => asked.port >= portLow && asked.port <= portHigh);
        expect(matchEndpoint({ ...empty, hosts }, asked)).toEqual(inReach.map(({ rule }) => rule));
        found += linear.length;
      }
    }),
    { numRuns: 60 },
  );
  expect(found).toBeGreaterThan(50);
});

it('few of many entries are looked at', () => {
  const hosts = Array.from({ length: 1000 }, (_, rule): HostView => {
    const kind = [HOST_KIND.name, HOST_KIND.suffix, HOST_KIND.range][rule % 3] ?? HOST_KIND.any;
    const own = parseAddress(`10.${rule >> 8}.${rule & 255}.0`) as Address;
    return { rule, kind, host: `n${rule}.test`, address: own, prefixLength: 120, portLow: 1, portHigh: 65_535 };
  });
  const index = new HostIndex(hosts);
  const wanted = { name: 'x.n1.test', address: parseAddress('10.0.2.7') as Address };
  expect(index.candidates(wanted).map(({ rule }) => rule)).toEqual([1, 2]);
});
