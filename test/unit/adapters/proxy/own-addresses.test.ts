import { describe, expect, it } from 'vitest';
import { Gate } from '../../../../src/adapters/proxy/gate.ts';
import { Lookup } from '../../../../src/adapters/proxy/lookup.ts';
import { ownAddresses } from '../../../../src/adapters/proxy/own-addresses.ts';
import { parseAddress } from '../../../../src/core/egress/address.ts';
import { parseHost } from '../../../../src/core/egress/host-name.ts';
import { usualTerms } from '../../../../src/core/egress/terms.ts';
import { decideHost } from '../../../../src/core/engine/decide.ts';
import { imageOf } from '../../../support/policy.ts';

const OWN = ['93.184.216.34', '2606:2800:220:1::1', '10.0.0.5'];

/** What becomes of a connection from a machine that has these addresses: `allow`, or why not. */
async function outcome(network: string, host: string): Promise<string> {
  const image = imageOf(`  - action: network\n    ${network}\n`);
  const gate = new Gate({
    policyOf: () => ({ image, simulate: false }),
    decide: decideHost,
    termsOf: (_image, { port }) => usualTerms(port),
    record: async () => undefined,
    lookup: new Lookup(async (name) => (name === 'self.test' ? ['93.184.216.34'] : ['93.184.216.35']), 1000),
    isOwnPort: () => false,
    isOwnAddress: ownAddresses(() => OWN),
  });
  const connection = { run: 'r', pid: 1, program: '/p', kind: 'proxy' } as const;
  const read = parseHost(host);
  if (!read) throw new Error(host);
  const admitted = await gate.admit(connection, { host: read, port: 443, via: 'connect', known: 'connect' });
  return admitted.ok ? 'allow' : (admitted.reason ?? 'rule');
}

describe('an address of this machine itself', () => {
  it.each(['rules: [{ destination: "*", effect: allow }]', 'rules: []\n    defaultEffect: allow'])(
    'is not meant by what allows everything: %j',
    async (network) => {
      for (const host of [
        '93.184.216.34',
        'self.test',
        '[::ffff:93.184.216.34]',
        '[2606:2800:220:1::1]',
        '[64:ff9b::5db8:d822]',
      ])
        expect(await outcome(network, host), host).toBe('own-address');
      for (const host of ['93.184.216.35', 'other.test', '[2606:2800:220:1::2]'])
        expect(await outcome(network, host), host).toBe('allow');
      expect(await outcome(network, '10.0.0.5')).toBe(network.includes('*') ? 'no-rule' : 'special-address');
    },
  );

  it('is not meant by a name that leads to it', async () => {
    expect(await outcome('rules: [{ destination: ["self.test", "*.test"], effect: allow }]', 'self.test')).toBe(
      'own-address',
    );
  });

  it('is reached by a rule that names it, or its range', async () => {
    expect(await outcome('rules: [{ destination: "93.184.216.34", effect: allow }]', '93.184.216.34')).toBe('allow');
    expect(
      await outcome('rules: [{ destination: ["self.test", "93.184.216.0/24"], effect: allow }]', 'self.test'),
    ).toBe('allow');
    expect(await outcome('rules: [{ destination: "93.184.216.34:80", effect: allow }]', '93.184.216.34')).toBe(
      'no-rule',
    );
  });
});

it('the list of addresses is asked for anew when it is old', () => {
  let listed = 0;
  const list = () => {
    listed++;
    return listed < 3 ? ['1.2.3.4', 'not an address', 'fe80::1%eth0'] : ['5.6.7.8'];
  };
  const address = parseAddress('5.6.7.8');
  if (!address) throw new Error();
  const kept = ownAddresses(list, 60_000);
  expect([kept(address), kept(address), listed]).toEqual([false, false, 1]);
  const fresh = ownAddresses(list, 0);
  expect([fresh(address), fresh(address), listed]).toEqual([false, true, 3]);
});
