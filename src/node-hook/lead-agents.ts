import type { Agent, ClientRequest } from 'node:http';
import type { Agent as TlsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { isBypassed, type Proxies, type ProxyAddress } from './proxies.ts';
import { openTunnel, type Remember } from './tunnel.ts';

type Options = { host?: string; port?: number | string; socketPath?: string | null; [name: string]: unknown };
type AddRequest = (this: Agent, request: ClientRequest, options: Options, ...more: unknown[]) => void;
type Connect = (options: Options, done: (error: Error | null, socket?: Socket) => void) => Socket | undefined;

/** Leads the requests of the default agents to the proxy. Whoever brings an agent of his own has his reasons. */
export function leadAgents(
  agents: { Agent: typeof Agent; globalAgent: Agent },
  proxies: Proxies,
  remember: Remember,
): void {
  const prototype = agents.Agent.prototype as unknown as { addRequest: AddRequest };
  const own = prototype.addRequest;
  prototype.addRequest = function addRequest(request, options, port, localAddress) {
    const led = typeof options === 'object' && !options.socketPath ? lead(this, request, options) : options;
    return own.call(this, request, led, port, localAddress);
  } as AddRequest;

  const lead = (agent: Agent, request: ClientRequest, options: Options): Options => {
    const proxy = agent === agents.globalAgent ? proxies.http : undefined;
    if (proxy && leadsTo(proxies, options, 80)) return inAbsoluteForm(request, options, proxy);
    if (proxies.https && agent === defaultOfHttps())
      connectThroughTunnel(agent as TlsAgent, proxies.https, proxies, remember);
    return options;
  };
}

const leadsTo = (proxies: Proxies, { host, port }: Options, usual: number): boolean =>
  !isBypassed(proxies, host ?? 'localhost', Number(port ?? usual));

/** While https loads it has no agent yet. */
const defaultOfHttps = (): unknown => (require('node:https') as { globalAgent?: Agent }).globalAgent;

function inAbsoluteForm(request: ClientRequest, options: Options, proxy: ProxyAddress): Options {
  const { path } = request;
  // A name that holds more than a name is for the resolver to refuse: it must not become lines of a request to the proxy.
  if (!path.startsWith('/') || request.method === 'CONNECT' || !NAME.test(options.host ?? '')) return options;
  request.path = `http://${authority(options, 80)}${path}`;
  // Headers that were given as a list are put together before an agent is asked.
  const written = request as unknown as { _header: string | null };
  if (typeof written._header === 'string') written._header = written._header.replace(` ${path} `, ` ${request.path} `);
  return { ...options, host: proxy.host, port: proxy.port };
}

/** Only how the agent connects is its own from then on; pooling, sessions and time-outs stay Node's. */
function connectThroughTunnel(agent: TlsAgent, proxy: ProxyAddress, proxies: Proxies, remember: Remember): void {
  if (Object.hasOwn(agent, 'createConnection')) return;
  const connecting = agent as unknown as { createConnection: Connect };
  const own = connecting.createConnection;
  Object.defineProperty(agent, 'createConnection', {
    configurable: true,
    writable: true,
    enumerable: false,
    value: function createConnection(options: Options, done: Parameters<Connect>[1]) {
      if (options.socketPath || options['socket'] || !leadsTo(proxies, options, 443))
        return own.call(agent, options, done);
      const to = { host: options.host ?? 'localhost', port: Number(options.port ?? 443) };
      openTunnel(proxy, to, remember, (error, socket) => {
        if (error) done(error);
        else done(null, own.call(agent, { ...options, socket }, done));
      });
      return undefined;
    },
  });
}

function authority({ host = 'localhost', port }: Options, usual: number): string {
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return Number(port ?? usual) === usual ? name : `${name}:${port}`;
}

const NAME = /^[\w.:%[\]-]*$/;
