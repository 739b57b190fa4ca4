import type { IncomingMessage } from 'node:http';
import { classOf } from '../../core/egress/address-class.ts';
import { type Authority, parseAuthority, sameHost } from '../../core/egress/authority.ts';
import type { Host } from '../../core/egress/host-name.ts';
import { asksForAnother } from '../../core/egress/override.ts';
import { type AbsoluteTarget, parseAbsoluteTarget, parseOriginForm } from '../../core/egress/request-target.ts';
import { malformed, type Refusal } from './refusal.ts';

/** The destination of a plain HTTP request, when every part of the request names the same one. */
export function readHttpTarget(request: IncomingMessage, url: string): AbsoluteTarget | Refusal {
  if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0') return malformed('not HTTP/1');
  if (url.startsWith('/')) return malformed('this is a proxy: the request needs an absolute URL');
  if (/^(https|wss):/i.test(url)) return malformed('use CONNECT for TLS');
  const target = parseAbsoluteTarget(url);
  if (!target) return malformed('not an absolute http URL that can be read in one way only');
  const [host, another] = hostsOf(request);
  if (another !== undefined) return malformed('more than one Host header');
  if (host === undefined && request.httpVersion === '1.1') return malformed('no Host header');
  // The same text means the same, and most often it is.
  const named = host === undefined || host === authorityText(url) ? target : parseAuthority(host, 80);
  if (!named || named.port !== target.port || !sameHost(named.host, target.host)) {
    return malformed('Host header and URL disagree');
  }
  return ambiguityIn(request) ?? target;
}

/** The target of a request within a tunnel: its URL is a path, and its Host header (which HTTP/1.0 may leave out) the tunnel's own. */
export function readInnerTarget(
  request: IncomingMessage,
  tunnel: Authority,
  usualPort: number,
): AbsoluteTarget | Refusal {
  if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0') return malformed('not HTTP/1');
  const target = parseOriginForm(request.url ?? '', tunnel);
  if (!target) return malformed('not a path: within a tunnel there is one host');
  const [host, another] = hostsOf(request);
  if (another !== undefined) return malformed('more than one Host header');
  if (host === undefined && request.httpVersion === '1.1') return malformed('no Host header');
  const named = host === undefined ? tunnel : parseAuthority(host, usualPort);
  if (!named || named.port !== tunnel.port || !isCalled(tunnel.host, named.host)) {
    return malformed('Host header and the host of the tunnel disagree');
  }
  return ambiguityIn(request) ?? target;
}

/** Programs that connect to this machine by an address call it `localhost` as often. */
function isCalled(host: Host, said: Host): boolean {
  const isLocal = said.kind === 'name' && said.name === 'localhost';
  return sameHost(said, host) || (isLocal && host.kind === 'address' && classOf(host.address) === 'loopback');
}

/** What two servers could take for the end of the request in two ways. */
function ambiguityIn(request: IncomingMessage): Refusal | undefined {
  const encoding = request.headers['transfer-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked')
    return malformed('a transfer encoding but chunked');
  if (encoding !== undefined && request.headers['content-length'] !== undefined)
    return malformed('both a length and a transfer encoding');
  const isBodiless = request.method === 'GET' || request.method === 'HEAD';
  return isBodiless && hasBody(request) ? malformed(`${request.method} with a body`) : undefined;
}

export function hasBody({ headers }: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers;
  return encoding !== undefined || (length !== undefined && length !== '0');
}

const hostsOf = ({ rawHeaders }: IncomingMessage): string[] =>
  rawHeaders.filter((_text, at, raw) => at % 2 === 1 && isHost(raw[at - 1] ?? ''));

const isHost = (name: string): boolean => name.length === 4 && name.toLowerCase() === 'host';

/** What stands between `http://` and path or query. */
function authorityText(url: string): string {
  const end = url.slice('http://'.length).search(/[/?]/);
  return end < 0 ? url.slice('http://'.length) : url.slice('http://'.length, 'http://'.length + end);
}

/** What rules for methods and paths are held against. */
export function askedOf(request: IncomingMessage, { path, query }: AbsoluteTarget) {
  const overridden = asksForAnother({ headers: Object.keys(request.headers), query });
  return { method: request.method ?? '', path, overridden };
}

/** The further hop-by-hop headers that a Connection header names. */
export function connectionNames(value: unknown): string[] {
  return String(value ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
}
