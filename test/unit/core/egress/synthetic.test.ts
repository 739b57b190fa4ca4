import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatAddress, parseAddress } from '../../../../src/core/egress/address.ts';
import { classOf } from '../../../../src/core/egress/address-class.ts';
import { MOST_NAMES, RESOLVER, syntheticAddress, syntheticNumber } from '../../../../src/core/egress/synthetic.ts';

it.each([
  [RESOLVER, '198.18.0.1', '2001:2::c612:1'],
  [2, '198.18.0.2', '2001:2::c612:2'],
  [256, '198.18.1.0', '2001:2::c612:100'],
  [65_535, '198.18.255.255', '2001:2::c612:ffff'],
  [65_536, '198.19.0.0', '2001:2::c613:0'],
  [131_071, '198.19.255.255', '2001:2::c613:ffff'],
])('number %i is %s and %s', (number, v4, v6) => {
  expect(formatAddress(syntheticAddress(4, number))).toBe(v4);
  expect(formatAddress(syntheticAddress(6, number))).toBe(v6);
});

it('every number comes back from both of its addresses, and these are of no other class', () => {
  fc.assert(
    fc.property(fc.nat(131_071), fc.constantFrom(4 as const, 6 as const), (number, family) => {
      const address = syntheticAddress(family, number);
      expect(syntheticNumber(address)).toBe(number);
      expect(classOf(address)).toBe('synthetic');
    }),
  );
});

it.each([
  '198.17.255.255',
  '198.20.0.0',
  '2001:2::1',
  '2001:2::c611:2',
  '2001:2::c614:0',
  '2001:2:1::c612:2',
  '2001:2::1:0:0:c612:2',
  '::c612:2',
  '64:ff9b::c612:2',
])('%s has no number', (text) => {
  expect(syntheticNumber(parseAddress(text)!)).toBeUndefined();
});

it('there is no address beyond the range, and room for more names than a run can have', () => {
  for (const number of [-1, 131_072]) expect(() => syntheticAddress(4, number)).toThrow(RangeError);
  expect(formatAddress(syntheticAddress(4, MOST_NAMES + 1))).toBe('198.18.253.233');
});
