import { type Address, addressFromBytes, parseAddress } from '../egress/address.ts';
import type { HostName } from '../egress/host-name.ts';

/** The address that a question for a pointer asks about: `4.3.2.1.in-addr.arpa`, or 32 nibbles before `ip6.arpa` (RFC 3596, 2.5). */
export function addressOfReverseName(name: HostName): Address | undefined {
  if (name.endsWith(V4)) return parseAddress(name.slice(0, -V4.length).split('.').reverse().join('.'));
  const nibbles = name.endsWith(V6) ? name.slice(0, -V6.length).split('.').reverse() : [];
  if (nibbles.length !== 32 || !nibbles.every((nibble) => /^[0-9a-f]$/.test(nibble))) return undefined;
  const bytes = Array.from({ length: 16 }, (_, at) => Number.parseInt(`${nibbles[2 * at]}${nibbles[2 * at + 1]}`, 16));
  return addressFromBytes(Uint8Array.from(bytes));
}

const V4 = '.in-addr.arpa';
const V6 = '.ip6.arpa';
