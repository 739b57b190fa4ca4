import { isBypassed, type Proxies, type ProxyAddress } from './proxies.ts';
import { openTunnel, type Remember } from './tunnel.ts';

type Headers = string[] | Record<string, unknown> | Iterable<[string, unknown]> | null | undefined;
type Options = { origin?: string | URL; path: string; headers?: Headers; [name: string]: unknown };
type Dispatcher = { dispatch(options: Options, handler: unknown): boolean };
type Connector = (
  target: { hostname: string; port: string; servername?: string | null },
  done: (error: Error | null, socket?: unknown) => void,
) => void;

/** Leads what fetch sends with the dispatcher that Node made to the proxy. A dispatcher of the program's own goes its own way. */
export function leadFetch(proxies: Proxies, remember: Remember): void {
  // Looking at it loads the library behind fetch.
  void globalThis.Response;
  for (const name of ['undici.globalDispatcher.1', 'undici.globalDispatcher.2']) {
    const found = (globalThis as Record<symbol, unknown>)[Symbol.for(name)] as Dispatcher | undefined;
    if (found?.constructor.name === 'Agent' && !Object.hasOwn(found, 'dispatch')) lead(found, proxies, remember);
  }
}

function lead(direct: Dispatcher, proxies: Proxies, remember: Remember): void {
  const own = direct.dispatch;
  let tunnelled: Dispatcher | undefined;
  const dispatch = function dispatch(options: Options, handler: unknown): boolean {
    const { protocol, hostname, port, host } = new URL(String(options.origin));
    const proxy = protocol === 'https:' ? proxies.https : proxies.http;
    if (!proxy || isBypassed(proxies, hostname, Number(port) || (protocol === 'https:' ? 443 : 80)))
      return own.call(direct, options, handler);
    if (protocol === 'https:') {
      tunnelled ??= new (direct.constructor as new (options: { connect: Connector }) => Dispatcher)({
        connect: throughTunnel(proxy, remember),
      });
      return tunnelled.dispatch(options, handler);
    }
    const origin = `http://${proxy.host.includes(':') ? `[${proxy.host}]` : proxy.host}:${proxy.port}`;
    const path = `http://${host}${options.path}`;
    return own.call(direct, { ...options, origin, path, headers: withHost(options.headers, host) }, handler);
  };
  Object.defineProperty(direct, 'dispatch', { value: dispatch, configurable: true, writable: true, enumerable: false });
}

function throughTunnel(proxy: ProxyAddress, remember: Remember): Connector {
  return ({ hostname, port, servername }, done) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    openTunnel(proxy, { host, port: Number(port) || 443 }, remember, (error, socket) => {
      if (error || !socket) return done(error);
      const name = servername || (/^[\d.]+$|:/.test(host) ? undefined : host);
      const { connect } = require('node:tls') as typeof import('node:tls');
      const secure = connect({ socket, host, ALPNProtocols: ['http/1.1'], ...(name && { servername: name }) });
      secure.once('error', done);
      secure.once('secureConnect', () => {
        secure.off('error', done);
        done(null, secure);
      });
    });
  };
}

/** A Host header is needed that names the destination and not the proxy. */
function withHost(headers: Headers, host: string): Headers {
  if (Array.isArray(headers) && (headers.length === 0 || typeof headers[0] === 'string')) {
    const named = headers.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'host');
    return named ? headers : ['host', host, ...headers];
  }
  const entries =
    Symbol.iterator in Object(headers) ? (headers as Iterable<[string, unknown]>) : Object.entries(headers ?? {});
  const given = Object.fromEntries(entries);
  return Object.keys(given).some((name) => name.toLowerCase() === 'host') ? given : { host, ...given };
}
