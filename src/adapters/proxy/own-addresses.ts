import { networkInterfaces } from 'node:os';
import { type Address, formatAddress, parseAddress } from '../../core/egress/address.ts';

/** The addresses of this machine's interfaces, as text. */
export type ListAddresses = () => readonly string[];

/** Knows the machine's own addresses, which change as it moves between networks; asked for anew when what is known is old. */
export function ownAddresses(list: ListAddresses = listInterfaces, maxAgeMs = 1000): (address: Address) => boolean {
  let known: ReadonlySet<string> = new Set();
  let listedAt = Number.NEGATIVE_INFINITY;
  return (address) => {
    const now = performance.now();
    if (now - listedAt >= maxAgeMs) {
      known = new Set(list().flatMap(canonical));
      listedAt = now;
    }
    return known.has(formatAddress(address));
  };
}

function canonical(text: string): string[] {
  const address = parseAddress(text);
  return address ? [formatAddress(address)] : [];
}

function listInterfaces(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []);
}
