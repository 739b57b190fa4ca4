import ipaddr from 'ipaddr.js';

declare const checkedAddress: unique symbol;
/** An IP address as 16 bytes; IPv4 is written as ::ffff:a.b.c.d. Made only by this file. */
export type Address = Uint8Array & { readonly [checkedAddress]: true };

/**
 * Reads an IPv4 address of four decimal parts or an IPv6 address without brackets and zone. Undefined for everything else, the
 * other spellings of IPv4 (`127.1`, `0x7f.1`) included: those are the business of `parseHost`.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.includes(':')) return parseV6(text);
  return V4.test(text) && ipaddr.IPv4.isValidFourPartDecimal(text)
    ? mapped(ipaddr.IPv4.parse(text).toByteArray())
    : undefined;
}

/** The address text that every system call and every URL understands; RFC 5952 for IPv6, dots for mapped IPv4. */
export function formatAddress(address: Address): string {
  const v4 = v4Of(address);
  return v4 ? v4.join('.') : ipaddr.fromByteArray([...address]).toString();
}

/** 4 for IPv4, which includes the mapped form, as the kernel sends both the same way. */
export function familyOf(address: Address): 4 | 6 {
  return v4Of(address) ? 4 : 6;
}

/**
 * Every address that a packet to this one may end at, the address itself first: transition mechanisms carry an IPv4 address inside an
 * IPv6 one, and a translator on the way takes it out. A connection is allowed when all of them are.
 */
export function facesOf(address: Address): readonly [Address, ...Address[]] {
  const inner = embeddedV4(address);
  return inner ? [address, mapped(inner)] : [address];
}

/** From bytes that a reader of wire formats holds; undefined for another length than 4 or 16. */
export function addressFromBytes(bytes: Uint8Array): Address | undefined {
  if (bytes.length === 4) return mapped([...bytes]);
  return bytes.length === 16 ? (Uint8Array.from(bytes) as Address) : undefined;
}

/** As certificates and DNS carry it: 4 bytes, or 16. */
export function addressBytes(address: Address): Uint8Array {
  return familyOf(address) === 4 ? address.slice(12) : address.slice();
}

function parseV6(text: string): Address | undefined {
  // The pattern shuts out zones, which name an interface of this machine.
  if (!/^[0-9a-f:.]{2,45}$/i.test(text)) return undefined;
  const hex = text.replace(/(?<=:)[0-9.]*\.[0-9.]*$/, dottedToHex);
  if (hex.includes('.') || !ipaddr.IPv6.isValid(hex)) return undefined;
  return Uint8Array.from(ipaddr.IPv6.parse(hex).toByteArray()) as Address;
}

/** The library would read `::1.2.3.4` as `::ffff:1.2.3.4`, which is another address. */
function dottedToHex(dotted: string): string {
  if (!V4.test(dotted) || !ipaddr.IPv4.isValidFourPartDecimal(dotted)) return dotted;
  const [a = 0, b = 0, c = 0, d = 0] = ipaddr.IPv4.parse(dotted).toByteArray();
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

function embeddedV4(address: Address): number[] | undefined {
  const tail = [...address.subarray(12)];
  const head = (...bytes: number[]) => bytes.every((byte, at) => address[at] === byte);
  if (head(0x20, 0x02)) return [...address.subarray(2, 6)]; // 6to4, RFC 3056
  if (head(0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0)) return tail; // NAT64, RFC 6052
  if (head(0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0)) return tail; // SIIT, RFC 2765
  if (head(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)) return tail[0] || tail[1] ? tail : undefined; // IPv4-compatible; not :: and ::1
  if (head(0x20, 0x01, 0, 0)) return tail.map((byte) => byte ^ 0xff); // Teredo, RFC 4380
  const isatap = address[9] === 0 && address[10] === 0x5e && address[11] === 0xfe; // RFC 5214
  return isatap && (address[8] === 0 || address[8] === 2) ? tail : undefined;
}

function v4Of(address: Address): number[] | undefined {
  return MAPPED.every((byte, at) => address[at] === byte) ? [...address.subarray(12)] : undefined;
}

function mapped(v4: readonly number[]): Address {
  return Uint8Array.from([...MAPPED, ...v4]) as Address;
}

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const;
const PART = '(?:0|[1-9][0-9]{0,2})';
const V4 = new RegExp(`^${PART}(?:\\.${PART}){3}$`);
