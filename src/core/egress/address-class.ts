import { type Address, facesOf, parseAddress } from './address.ts';

export const ADDRESS_CLASSES = [
  'public',
  'loopback',
  'unspecified',
  'private',
  'ula',
  'link-local',
  'cgnat',
  'metadata',
  'multicast',
  'synthetic',
  'reserved',
] as const;
export type AddressClass = (typeof ADDRESS_CLASSES)[number];

/**
 * What kind of place an address is. Everything but `public` is reached only by a rule that names the range. An address that carries an IPv4
 * address is what it carries, unless it is special already.
 */
export function classOf(address: Address): AddressClass {
  for (const face of facesOf(address)) {
    const found = tableClass(face);
    if (found !== 'public') return found;
  }
  return 'public';
}

/** Addresses at which the class may change: every change of the table is among them, and every one behind NAT64 (RFC 6052). */
export function classBoundaries(): Address[] {
  return RANGES.flatMap(({ base, bits }) => {
    const found = [base, behind(base, bits)];
    if (bits < 96) return found.filter((address) => address !== null);
    const translated = found.map(
      (address) => address && (Uint8Array.from([...NAT64, ...address.subarray(12)]) as Address),
    );
    return [...found, ...translated].filter((address) => address !== null);
  });
}

/** The first address behind a range; null behind the last of all. */
export function behind(base: Uint8Array, bits: number): Address | null {
  const next = base.slice();
  for (let at = bits; at > 0; at--) {
    const mask = 0x80 >> ((at - 1) & 7);
    const index = (at - 1) >> 3;
    next[index]! ^= mask;
    if ((next[index]! & mask) !== 0) return next as Address;
  }
  return null;
}

function tableClass(address: Address): AddressClass {
  return RANGES.find((range) => covers(range, address))?.class ?? 'reserved';
}

function covers({ base, bits }: Range, address: Address): boolean {
  const whole = bits >> 3;
  for (let at = 0; at < whole; at++) if (base[at] !== address[at]) return false;
  const mask = (0xff00 >> (bits & 7)) & 0xff;
  return mask === 0 || ((base[whole] ?? 0) & mask) === ((address[whole] ?? 0) & mask);
}

type Range = { base: Address; bits: number; class: AddressClass };

/**
 * The IANA special-purpose registries (RFC 6890 and successors) and the addresses where clouds hand out credentials. Synthetic are the
 * benchmarking ranges (RFC 2544, RFC 5180): addresses in them stand for names inside a run and are never dialled.
 */
const TABLE: ReadonlyArray<readonly [string, AddressClass]> = [
  ['169.254.169.254/32', 'metadata'], // AWS, Google, Azure and most others
  ['169.254.170.2/32', 'metadata'], // AWS ECS
  ['169.254.170.23/32', 'metadata'], // AWS EKS
  ['168.63.129.16/32', 'metadata'], // Azure wire server
  ['100.100.100.200/32', 'metadata'], // Alibaba
  ['192.0.0.192/32', 'metadata'], // Oracle
  ['fd00:ec2::254/128', 'metadata'], // AWS
  ['fd00:ec2::23/128', 'metadata'], // AWS EKS
  ['fd20:ce::254/128', 'metadata'], // Google
  ['0.0.0.0/8', 'unspecified'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'cgnat'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  ['192.0.2.0/24', 'reserved'],
  ['192.88.99.0/24', 'reserved'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'synthetic'],
  ['198.51.100.0/24', 'reserved'],
  ['203.0.113.0/24', 'reserved'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
  ['0.0.0.0/0', 'public'],
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['64:ff9b::/96', 'public'], // NAT64: the IPv4 address inside decides
  ['fc00::/7', 'ula'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'private'],
  ['ff00::/8', 'multicast'],
  ['2001:2::/48', 'synthetic'],
  ['2001::/23', 'reserved'], // Teredo, ORCHID and other protocol assignments
  ['2001:db8::/32', 'reserved'],
  ['2002::/16', 'reserved'], // 6to4
  ['3fff::/20', 'reserved'],
  ['2000::/3', 'public'],
];

const NAT64 = [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0] as const;

const RANGES: readonly Range[] = TABLE.map(([cidr, name]) => {
  const [text = '', bits = ''] = cidr.split('/');
  const base = parseAddress(text);
  if (!base) throw new Error(`not an address: ${text}`);
  return { base, bits: Number(bits) + (text.includes(':') ? 0 : 96), class: name };
});
