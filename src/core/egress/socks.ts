import { addressFromBytes } from './address.ts';
import type { Authority } from './authority.ts';
import { type Host, parseHost } from './host-name.ts';

/** `more`: whole so far. `refused`: what to answer before the end. `read`: what it says, and in how many bytes. */
export type SocksStep<Said> =
  | { kind: 'more' }
  | { kind: 'refused'; answer: Uint8Array }
  | { kind: 'read'; said: Said; length: number };

export const SOCKS_VERSION = 5;
export const SOCKS4_VERSION = 4;

/** Codes of replies (RFC 1928, 6). */
export const SOCKS_REPLY = {
  succeeded: 0,
  'general-failure': 1,
  'not-allowed': 2,
  'host-unreachable': 4,
  'command-not-supported': 7,
  'address-type-not-supported': 8,
} as const;

/** The answer to a greeting that has our only method: none. */
export const NO_AUTHENTICATION = Uint8Array.of(SOCKS_VERSION, 0);
/** "Request rejected or failed" of SOCKS 4, whose clients cannot read an answer of version 5. */
export const SOCKS4_REJECTED = Uint8Array.of(0, 91, 0, 0, 0, 0, 0, 0);

/** Reads the client's greeting (RFC 1928, 3). */
export function readGreeting(bytes: Uint8Array): SocksStep<undefined> {
  const [version, methods] = bytes;
  if (version !== undefined && version !== SOCKS_VERSION) return { kind: 'refused', answer: SOCKS4_REJECTED };
  if (methods === undefined || bytes.length < 2 + methods) return methods === 0 ? NO_METHOD : { kind: 'more' };
  return bytes.subarray(2, 2 + methods).includes(0)
    ? { kind: 'read', said: undefined, length: 2 + methods }
    : NO_METHOD;
}

/** Reads a request (RFC 1928, 4). Only CONNECT is there; a host is read by the one reading that all doors have. */
export function readSocksRequest(bytes: Uint8Array): SocksStep<Authority> {
  const [version, command, reserved, type, first] = bytes;
  if (version !== undefined && version !== SOCKS_VERSION) return refused('general-failure');
  if (command !== undefined && command !== CONNECT) return refused('command-not-supported');
  if (reserved !== undefined && reserved !== 0) return refused('general-failure');
  if (type === undefined) return { kind: 'more' };
  const known = ADDRESS_BYTES.get(type);
  if (known === undefined) return refused('address-type-not-supported');
  if (first === undefined) return { kind: 'more' };
  const [start, bytesOfHost] = type === DOMAIN ? [5, first] : [4, known];
  const length = start + bytesOfHost + 2;
  if (bytes.length < length) return { kind: 'more' };
  const host = readHost(type, bytes.subarray(start, length - 2));
  const port = (bytes[length - 2] ?? 0) * 256 + (bytes[length - 1] ?? 0);
  return host && port > 0 ? { kind: 'read', said: { host, port }, length } : refused('general-failure');
}

/** A reply; the address that it could name is nobody's business, and clients do not read it. */
export function socksReply(code: keyof typeof SOCKS_REPLY): Uint8Array {
  return Uint8Array.of(SOCKS_VERSION, SOCKS_REPLY[code], 0, IPV4, 0, 0, 0, 0, 0, 0);
}

function readHost(type: number, bytes: Uint8Array): Host | undefined {
  if (type === DOMAIN) {
    // Only ASCII, since the bytes have no agreed character set.
    return bytes.every((byte) => byte > 0x20 && byte < 0x7f) ? parseHost(String.fromCharCode(...bytes)) : undefined;
  }
  const address = addressFromBytes(bytes);
  return address && { kind: 'address', address };
}

function refused(code: keyof typeof SOCKS_REPLY): { kind: 'refused'; answer: Uint8Array } {
  return { kind: 'refused', answer: socksReply(code) };
}

const NO_METHOD = { kind: 'refused', answer: Uint8Array.of(SOCKS_VERSION, 0xff) } as const;
const CONNECT = 1;
const IPV4 = 1;
const DOMAIN = 3;
const IPV6 = 4;
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [IPV4, 4],
  [DOMAIN, 0],
  [IPV6, 16],
]);
