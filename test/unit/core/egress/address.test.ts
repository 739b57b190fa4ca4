import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Address,
  addressFromBytes,
  facesOf,
  familyOf,
  formatAddress,
  parseAddress,
} from '../../../../src/core/egress/address.ts';
import { classOf } from '../../../../src/core/egress/address-class.ts';

const address = (text: string): Address => {
  const parsed = parseAddress(text);
  if (!parsed) throw new Error(`not an address: ${text}`);
  return parsed;
};

describe('parseAddress', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::FFFF:7f00:1', '127.0.0.1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8::0:1', '2001:db8::1'],
    ['64:ff9b::8.8.8.8', '64:ff9b::808:808'],
  ])('reads %s as %s', (text, canonical) => {
    expect(formatAddress(address(text))).toBe(canonical);
  });

  it.each([
    '',
    '127.1',
    '0x7f.0.0.1',
    '0127.0.0.1',
    '127.0.0.1.',
    '256.0.0.1',
    '1.2.3.4.5',
    '2130706433',
    ' 1.2.3.4',
    '1.2.3.4\n',
    '١.2.3.4',
    '::1%lo',
    '[::1]',
    ':::1',
    '1::2::3',
    '::ffff:0177.0.0.1',
    '::ffff:0x7f.0.0.1',
    '::ffff:1.2.3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    '::1/64',
  ])('refuses %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it('reads back every address it writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const made = addressFromBytes(bytes) as Address;
        expect([...address(formatAddress(made))]).toEqual([...bytes]);
        expect(familyOf(made)).toBe(formatAddress(made).includes(':') ? 6 : 4);
      }),
    );
  });

  it('knows 4 and 16 bytes and no other length', () => {
    expect(formatAddress(addressFromBytes(Uint8Array.of(10, 0, 0, 1)) as Address)).toBe('10.0.0.1');
    expect(addressFromBytes(new Uint8Array(15))).toBeUndefined();
  });
});

describe('facesOf', () => {
  it.each([
    ['2002:7f00:1::', '127.0.0.1'],
    ['64:ff9b::a9fe:a9fe', '169.254.169.254'],
    ['::127.0.0.1', '127.0.0.1'],
    ['::ffff:0:10.0.0.1', '10.0.0.1'],
    ['2001:0:4136:e378:8000:63bf:80ff:fffe', '127.0.0.1'],
    ['2600::5efe:192.168.0.1', '192.168.0.1'],
    ['fe80::200:5efe:10.0.0.1', '10.0.0.1'],
  ])('%s may end at %s', (text, inner) => {
    expect(facesOf(address(text)).map(formatAddress)).toEqual([formatAddress(address(text)), inner]);
  });

  it.each(['8.8.8.8', '2606:4700::1111', '::', '::1'])('%s ends at itself', (text) => {
    expect(facesOf(address(text))).toHaveLength(1);
  });
});

describe('classOf', () => {
  it.each([
    ['8.8.8.8', 'public'],
    ['2606:4700:4700::1111', 'public'],
    ['64:ff9b::8.8.8.8', 'public'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['::', 'unspecified'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['64:ff9b::127.0.0.1', 'loopback'],
    ['9.255.255.255', 'public'],
    ['10.0.0.0', 'private'],
    ['10.255.255.255', 'private'],
    ['11.0.0.0', 'public'],
    ['172.15.255.255', 'public'],
    ['172.16.0.0', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.0', 'public'],
    ['192.168.1.1', 'private'],
    ['fec0::1', 'private'],
    ['fc00::1', 'ula'],
    ['fdff::1', 'ula'],
    ['169.254.0.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['febf::1', 'link-local'],
    ['100.63.255.255', 'public'],
    ['100.64.0.1', 'cgnat'],
    ['100.127.255.255', 'cgnat'],
    ['100.128.0.0', 'public'],
    ['169.254.169.254', 'metadata'],
    ['64:ff9b::a9fe:a9fe', 'metadata'],
    ['168.63.129.16', 'metadata'],
    ['fd00:ec2::254', 'metadata'],
    ['100.100.100.200', 'metadata'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['ff02::1', 'multicast'],
    ['198.17.255.255', 'public'],
    ['198.18.0.0', 'synthetic'],
    ['198.19.255.255', 'synthetic'],
    ['198.20.0.0', 'public'],
    ['2001:1:ffff::', 'reserved'],
    ['2001:2::', 'synthetic'],
    ['2001:2::c612:2', 'synthetic'],
    ['2001:2:0:ffff:ffff:ffff:ffff:ffff', 'synthetic'],
    ['2001:2:1::', 'reserved'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'reserved'],
    ['192.0.2.1', 'reserved'],
    ['2001::1', 'reserved'],
    ['2001:db8::1', 'reserved'],
    ['2002:808:808::', 'reserved'],
    ['::8.8.8.8', 'reserved'],
    ['64:ff9b:1::1', 'reserved'],
    ['4000::1', 'reserved'],
  ])('%s is %s', (text, name) => {
    expect(classOf(address(text))).toBe(name);
  });

  it('never takes an address for public that carries one that is not', () => {
    const wraps = [
      (v4: string) => `::ffff:${v4}`,
      (v4: string) => `64:ff9b::${v4}`,
      (v4: string) => `2600::5efe:${v4}`,
      (v4: string) => `::ffff:0:${v4}`,
    ];
    fc.assert(
      fc.property(fc.ipV4(), fc.constantFrom(...wraps), (v4, wrap) => {
        if (classOf(address(v4)) !== 'public') expect(classOf(address(wrap(v4)))).not.toBe('public');
      }),
      { numRuns: 1000 },
    );
  });
});
