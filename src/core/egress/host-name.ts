import { type Address, parseAddress } from './address.ts';

declare const checkedName: unique symbol;
/** A host name in its one canonical form: lower-case A-labels of letters, digits and hyphens, no trailing dot. Made only by `parseHost`. */
export type HostName = string & { readonly [checkedName]: true };

export type Host = { kind: 'name'; name: HostName } | { kind: 'address'; address: Address };

/**
 * The one reading of a host, for rules and for connections alike: WHATWG host parsing (IDNA, every spelling of IPv4), then nothing but letters,
 * digits and hyphens. IPv6 stands in brackets. Undefined for all else; what two programs could read differently is refused, not repaired.
 */
export function parseHost(text: string): Host | undefined {
  if (text.length === 0 || text.length > MAX_INPUT || FORBIDDEN.test(text)) return undefined;
  if (text.startsWith('[')) return text.endsWith(']') ? addressHost(text.slice(1, -1)) : undefined;
  if (/[:[\]]/.test(text)) return undefined;
  const canonical = whatwgHost(text)?.replace(/\.$/, '');
  if (canonical === undefined) return undefined;
  const address = parseAddress(canonical);
  if (address) return { kind: 'address', address };
  return isCanonicalName(canonical) ? { kind: 'name', name: canonical as HostName } : undefined;
}

/** The host name, when the text is one and not an address. */
export function parseHostName(text: string): HostName | undefined {
  const host = parseHost(text);
  return host?.kind === 'name' ? host.name : undefined;
}

function addressHost(text: string): Host | undefined {
  const address = text.includes(':') ? parseAddress(text) : undefined;
  return address && { kind: 'address', address };
}

function whatwgHost(text: string): string | undefined {
  try {
    return new URL(`http://${text}/`).hostname;
  } catch {
    return undefined;
  }
}

function isCanonicalName(name: string): boolean {
  if (name.length > 253) return false;
  const labels = name.split('.');
  // A last label of digits would be read as an address by some resolvers.
  return labels.every((label) => LABEL.test(label)) && !/^[0-9]+$/.test(labels.at(-1) ?? '');
}

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** The URL parser drops tabs and newlines, decodes percent signs, reads a backslash as a slash and takes what stands before an @ as a user. */
const FORBIDDEN =
  /[\u0000-\u0020\u007f-\u00a0%@/\\?#<>^|"'`{}\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u2064\ufeff\ud800-\udfff]/u;
const MAX_INPUT = 1024;
