import { formatAddress } from './address.ts';
import { type Host, parseHost } from './host-name.ts';

export type Authority = { host: Host; port: number };

/**
 * Reads `host:port` as it stands in a CONNECT request or a Host header. The port is decimal, 1 to 65535, without sign or leading zero; it may be
 * missing only when a default is given. Only ASCII, since a header's bytes have no agreed character set.
 */
export function parseAuthority(text: string, defaultPort?: number): Authority | undefined {
  if (!ASCII.test(text)) return undefined;
  const split = SHAPE.exec(text);
  if (!split) return undefined;
  const host = parseHost(split[1] ?? '');
  const port = split[2] === undefined ? defaultPort : parsePort(split[2]);
  return host && port !== undefined ? { host, port } : undefined;
}

export function parsePort(text: string): number | undefined {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

/** The text that users see and that a Host header carries; IPv6 in brackets. */
export function formatHost(host: Host): string {
  if (host.kind === 'name') return host.name;
  const text = formatAddress(host.address);
  return text.includes(':') ? `[${text}]` : text;
}

export function formatAuthority({ host, port }: Authority, defaultPort?: number): string {
  return port === defaultPort ? formatHost(host) : `${formatHost(host)}:${port}`;
}

export function sameHost(a: Host, b: Host): boolean {
  return formatHost(a) === formatHost(b);
}

const ASCII = /^[\x21-\x7e]{1,300}$/;
const SHAPE = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/;
