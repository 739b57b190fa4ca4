import { type Address, addressFromBytes } from './address.ts';

/**
 * Synthetic addresses stand for names inside a run: number n is the n-th address of 198.18.0.0/15 (RFC 2544) and, for programs that want IPv6, the
 * same four bytes at the end of an address of 2001:2::/48 (RFC 5180). Both ranges are set aside for benchmarks and are routed nowhere.
 */
export type SyntheticFamily = 4 | 6;

/** The first number that stands for a name; the one before is the run's resolver. */
export const FIRST_NAME = 2;
export const RESOLVER = 1;
/** How many names a run can have: the range would hold twice as many. */
export const MOST_NAMES = 65_000;

export function syntheticAddress(family: SyntheticFamily, number: number): Address {
  const v4 = [BASE[0], BASE[1] | (number >>> 16), (number >>> 8) & 0xff, number & 0xff];
  const address = addressFromBytes(Uint8Array.from(family === 4 ? v4 : [...PREFIX_V6, ...v4]));
  if (!address || number < 0 || number >= RANGE) throw new RangeError(`no synthetic address has number ${number}`);
  return address;
}

/** The number of a synthetic address; undefined for every other address, those of 2001:2::/48 too that stand for nothing. */
export function syntheticNumber(address: Address): number | undefined {
  const prefix = PREFIXES.some((bytes) => bytes.every((byte, at) => address[at] === byte));
  const [a = 0, b = 0, c = 0, d = 0] = address.subarray(12);
  if (!prefix || a !== BASE[0] || (b & 0xfe) !== BASE[1]) return undefined;
  return ((b & 1) << 16) | (c << 8) | d;
}

const BASE = [198, 18] as const;
const RANGE = 1 << 17;
const PREFIX_V6 = [0x20, 0x01, 0x00, 0x02, 0, 0, 0, 0, 0, 0, 0, 0] as const;
const PREFIXES = [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], PREFIX_V6] as const;
