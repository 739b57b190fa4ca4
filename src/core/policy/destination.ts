import { parseAddress } from '../egress/address.ts';
import { parseHostName } from '../egress/host-name.ts';
import { PatternProblem } from './pattern-problem.ts';

/** Kinds of host entries, numbered as in the image. */
export const HOST_KIND = { any: 0, name: 1, suffix: 2, range: 3, localhost: 4 } as const;

export type HostEntry = {
  kind: number;
  /** Of the 16-byte form; kind range only. */
  prefixLength: number;
  portLow: number;
  portHigh: number;
  /** Kinds name and suffix; a suffix without its `*.`. */
  host: string;
  address: Uint8Array;
};

/**
 * Parses a destination: `host`, `*.host`, `localhost`, `1.2.3.4`, `10.0.0.0/8`, `[v6]`, `[v6]/n` or `*`, then optionally `:port`, `:low-high` or
 * `:*`. Without a port every port is meant.
 *
 * @throws PatternProblem
 */
export function parseDestination(text: string): HostEntry {
  const match = /^(\[[^\]]*\](?:\/[^:]*)?|[^:[\]]*)(?::([^:]*))?$/.exec(text);
  if (!match) {
    throw new PatternProblem('not a destination', 0, 'write host, host:port, 10.0.0.0/8:port or [2001:db8::1]:port');
  }
  const [, host = '', port] = match;
  const ports = port === undefined ? { portLow: 0, portHigh: 65_535 } : parsePorts(port);
  return { ...parseHost(host), ...ports };
}

/** Whether it names no host: everything, or a range of addresses. */
export function isWide({ kind, prefixLength }: Pick<HostEntry, 'kind' | 'prefixLength'>): boolean {
  return kind === HOST_KIND.any || (kind === HOST_KIND.range && prefixLength < 128);
}

type HostPart = Omit<HostEntry, 'portLow' | 'portHigh'>;

function parseHost(host: string): HostPart {
  const entry = { prefixLength: 0, host: '', address: new Uint8Array(16) };
  if (host === '*') return { ...entry, kind: HOST_KIND.any };
  if (host.startsWith('[') || /^[0-9.]+(\/.*)?$/.test(host)) return { ...entry, ...parseRange(host) };
  if (host.toLowerCase() === 'localhost') return { ...entry, kind: HOST_KIND.localhost };
  const suffix = host.startsWith('*.');
  const name = suffix ? host.slice(2) : host;
  if (name.includes('*'))
    throw new PatternProblem('a * can stand for whole labels in front only', 0, 'write *.example.com');
  const canonical = name.endsWith('..') ? undefined : parseHostName(name);
  if (canonical === undefined)
    throw new PatternProblem('not a host name or address', 0, 'write a name without scheme, path or user');
  return { ...entry, kind: suffix ? HOST_KIND.suffix : HOST_KIND.name, host: canonical };
}

function parseRange(host: string): HostPart {
  const [, bracketed, plain, bits] = /^(?:\[(.*)\]|([0-9.]+))(?:\/(.*))?$/.exec(host) ?? [];
  const address =
    bracketed === undefined ? plain && parseAddress(plain) : bracketed.includes(':') && parseAddress(bracketed);
  if (!address) throw new PatternProblem('not an address', 0, 'write four decimal numbers, or IPv6 in brackets');
  const width = bracketed === undefined ? 32 : 128;
  if (bits !== undefined && (!/^(0|[1-9][0-9]{0,2})$/.test(bits) || Number(bits) > width)) {
    throw new PatternProblem(`not a prefix length`, 0, `write a number from 0 to ${width}`);
  }
  const prefixLength = 128 - width + Number(bits ?? width);
  if (hasHostBits(address, prefixLength)) {
    throw new PatternProblem(
      'the address has bits beyond its prefix',
      0,
      'write the network address, as in 10.0.0.0/8',
    );
  }
  return { kind: HOST_KIND.range, prefixLength, host: '', address };
}

function hasHostBits(address: Uint8Array, prefixLength: number): boolean {
  return address.some((byte, index) => {
    const kept = Math.min(8, Math.max(0, prefixLength - 8 * index));
    return (byte & (0xff >> kept)) !== 0;
  });
}

function parsePorts(text: string): { portLow: number; portHigh: number } {
  if (text === '*') return { portLow: 0, portHigh: 65_535 };
  const match = /^([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?$/.exec(text);
  const portLow = Number(match?.[1] ?? 0);
  const portHigh = Number(match?.[2] ?? portLow);
  if (!match || portHigh > 65_535 || portLow > portHigh) {
    throw new PatternProblem('not a port', 0, 'write a number from 1 to 65535, a range as in 8000-8999, or *');
  }
  return { portLow, portHigh };
}
