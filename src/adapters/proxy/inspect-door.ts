import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { formatHost } from '../../core/egress/authority.ts';
import type { AbsoluteTarget } from '../../core/egress/request-target.ts';
import { isOver, whenOver } from './answer-end.ts';
import { dial } from './dial.ts';
import { forward, refuse } from './forward.ts';
import type { TunnelEnd } from './gate.ts';
import { recordEnd } from './http-exchange.ts';
import { askedOf, readInnerTarget } from './http-target.ts';
import type { InspectedTunnel, InspectTunnel } from './inspect-tunnel.ts';
import { answerTls, askTls, type RunTls } from './inspected-tls.ts';
import { DEFAULT_LIMITS, type Limits, RunLoad } from './limits.ts';
import { outcomeOf, Untrusted } from './outcome.ts';
import { type PinnedAgent, pinnedAgent, pinnedOrigin } from './pinned-agent.ts';
import { endWithRefusal, failure, malformed, type Refusal } from './refusal.ts';
import { relay } from './relay.ts';
import { passUpgrade } from './upgrade-door.ts';

export type InspectOptions = {
  /** Undefined for a run that never had an authority or lost it. */
  tlsOf(run: string): RunTls | undefined;
  limits?: Partial<Limits>;
};

/** One inspected tunnel, for as long as its client stays. */
type Inspected<Image> = {
  tunnel: InspectedTunnel<Image>;
  /** Makes TLS of a connection to the host where the client speaks TLS; undefined where it does not. */
  secure: ReturnType<typeof askTls> | undefined;
  usualPort: 80 | 443;
  agent: PinnedAgent;
};

/**
 * Tunnels whose requests are decided one by one: TLS ends here, with a certificate that the run trusts, and begins anew towards the host. Each tunnel has
 * connections to its host of its own, which carry nothing else.
 */
export class InspectDoor<Image> {
  readonly #tlsOf: InspectOptions['tlsOf'];
  readonly #limits: Limits;
  readonly #requests: RunLoad;
  readonly #served = new WeakMap<Socket, Inspected<Image>>();
  readonly #server: Server;

  constructor({ tlsOf, limits }: InspectOptions) {
    this.#tlsOf = tlsOf;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#requests = new RunLoad(this.#limits.requestsPerRun);
    this.#server = this.#strictServer();
  }

  readonly inspect: InspectTunnel<Image> = async (tunnel) => {
    const { client } = tunnel;
    const head = await firstBytes(tunnel);
    if (head.length === 0) return void client.destroy();
    const ended = new Promise<void>((resolve) => (client.closed ? resolve() : client.once('close', () => resolve())));
    client.unshift(head);
    if (head[0] === TLS_HANDSHAKE) await this.#serveTls(tunnel);
    else if (HTTP_REQUEST.test(Buffer.from(head.subarray(0, 32)).toString('latin1')))
      this.#serve(client, {
        ...{ tunnel, secure: undefined, usualPort: 80 },
        agent: pinnedAgent(this.#limits, undefined, client),
      });
    else await this.#refuseOrRelay(tunnel, 'not-inspected');
    await ended;
  };

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serveTls(tunnel: InspectedTunnel<Image>): Promise<void> {
    const { host } = tunnel.destination;
    const tls = this.#tlsOf(tunnel.connection.run);
    const context = tls?.contextFor(host);
    if (!tls || !context) return this.#refuseOrRelay(tunnel, 'authority-lost');
    const handshake = await answerTls(tunnel.client, context, this.#limits.headersMs);
    if (!handshake.ok) {
      if (handshake.why !== 'gone')
        await tunnel.refuse(handshake.why === 'refused' ? 'authority-refused' : 'not-inspected');
      return void tunnel.client.destroy();
    }
    const secure = askTls(host, tls.trusted(), this.#limits.dialMs, tunnel.client);
    const agent = pinnedAgent(this.#limits, secure, tunnel.client);
    this.#serve(handshake.socket, { tunnel, secure, usualPort: 443, agent });
  }

  #serve(socket: Socket, inspected: Inspected<Image>): void {
    this.#served.set(socket, inspected);
    socket.once('close', () => void inspected.agent.destroy());
    // Each request that waits for a connection of its own wants to know when the client leaves.
    inspected.tunnel.client.setMaxListeners(0);
    if (socket.closed) return void inspected.agent.destroy();
    this.#server.emit('connection', socket);
    socket.resume(); // it came here paused
  }

  /** The client can only be told by a reset. A simulated run goes on without being looked at. */
  async #refuseOrRelay(tunnel: InspectedTunnel<Image>, reason: 'authority-lost' | 'not-inspected'): Promise<void> {
    const { client } = tunnel;
    if (await tunnel.refuse(reason)) return void client.resetAndDestroy();
    const admitted = await tunnel.admit();
    const dialled = 'ok' in admitted ? await tunnel.dial(admitted) : undefined;
    if (!('ok' in admitted) || !dialled) return void client.resetAndDestroy();
    const started = performance.now();
    const bytes = await relay(client, dialled.socket, NOTHING, this.#limits.idleMs);
    admitted.closed({
      address: dialled.address,
      result: 'ok',
      ...bytes,
      durationMs: Math.round(performance.now() - started),
    });
  }

  /** It never listens: tunnels are handed to it. */
  #strictServer(): Server {
    const { headerBytes, headersMs, keepAliveMs, headersCheckMs } = this.#limits;
    const server = createServer(
      {
        insecureHTTPParser: false,
        requireHostHeader: false, // looked at with all else, whose refusal ends the connection
        maxHeaderSize: headerBytes,
        headersTimeout: headersMs,
        keepAliveTimeout: keepAliveMs,
        requestTimeout: 0, // uploads last as long as they last
        connectionsCheckingInterval: headersCheckMs,
      },
      (request, response) => this.#answer(request, response),
    );
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
      this.#answer(request, response, () => response.writeContinue()),
    );
    server.on('connect', (_request, socket) => endWithRefusal(socket as Socket, malformed('a tunnel in a tunnel')));
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket as Socket, head));
    // Node begins to look for late headers when a server listens.
    server.emit('listening');
    return server;
  }

  /** `goOn` asks the client for the body that it holds back until it is wanted. */
  #answer(request: IncomingMessage, response: ServerResponse, goOn?: () => void): void {
    this.#pass(request, response, goOn).catch(() => refuse(response, malformed('the request failed', 500)));
  }

  async #pass(request: IncomingMessage, response: ServerResponse, goOn?: () => void): Promise<void> {
    const started = performance.now();
    const inspected = this.#served.get(request.socket);
    if (!inspected) return refuse(response, malformed('whose request this is, is not known', 407));
    const { tunnel, secure, agent, usualPort } = inspected;
    const { run } = tunnel.connection;
    const target = readTarget(request, inspected);
    if ('body' in target) {
      // Its bytes could be read in two ways from here on, so nothing that follows is a request of anybody.
      this.#served.delete(request.socket);
      return refuse(response, target);
    }
    const giveBack = this.#requests.take(run);
    if (!giveBack) return refuse(response, (await tunnel.refuse('resources')) ?? BUSY);
    whenOver(response, giveBack);
    if (isOver(response)) return;
    const admitted = await tunnel.admit({ ...askedOf(request, target), secure: secure !== undefined });
    if (!('ok' in admitted)) return refuse(response, admitted);
    recordEnd(started, admitted, request.socket, response);
    if (isOver(response)) return;
    goOn?.();
    const origin = pinnedOrigin(run, formatHost(target.host), admitted);
    const failed = (error: Error) => (isHangUp(error) ? undefined : failureOf(error, target));
    forward(agent, { origin, target, usualPort, injected: admitted.headers, failed }, request, response);
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    socket.setTimeout(0);
    this.#passUpgrade(request, socket, head)
      .then((refusal) => refusal && endWithRefusal(socket, refusal))
      .catch(() => socket.destroy());
  }

  async #passUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<Refusal | undefined> {
    const started = performance.now();
    const inspected = this.#served.get(socket);
    if (!inspected) return malformed('whose request this is, is not known', 407);
    const { tunnel, secure, usualPort } = inspected;
    const target = readTarget(request, inspected);
    if ('body' in target) return target;
    if (request.method !== 'GET') return malformed('an upgrade with this method is not passed on', 501);
    const admitted = await tunnel.admit({ ...askedOf(request, target), secure: secure !== undefined });
    if (!('ok' in admitted)) return admitted;
    // What was allowed has an end, whatever became of it.
    const end: TunnelEnd = { address: undefined, bytesUp: 0, bytesDown: 0, durationMs: 0 };
    try {
      if (socket.destroyed) return undefined;
      const dialled = await dial(admitted.addresses, target.port, this.#limits, socket);
      end.address = dialled.address;
      const origin = secure ? await secure(dialled.socket) : dialled.socket;
      const unreachable = failure('unreachable', formatHost(target.host), target.port, 502);
      const upgrade = { request, target, usualPort, injected: admitted.headers, socket, head, unreachable };
      const bytes = await passUpgrade(upgrade, origin, this.#limits);
      Object.assign(end, bytes && { result: 'ok', ...bytes });
      return undefined;
    } catch (error) {
      end.result = outcomeOf(error);
      return failureOf(error, target);
    } finally {
      admitted.closed({ ...end, durationMs: Math.round(performance.now() - started) });
    }
  }
}

/** TRACE would show the program what rules put in. */
function readTarget<Image>(
  request: IncomingMessage,
  { tunnel, usualPort }: Inspected<Image>,
): AbsoluteTarget | Refusal {
  if (request.method === 'TRACE') return malformed('this method is not passed on', 501);
  return readInnerTarget(request, tunnel.destination, usualPort);
}

function failureOf(error: unknown, { host, port }: AbsoluteTarget): Refusal {
  const reason = error instanceof Untrusted ? 'certificate-untrusted' : 'unreachable';
  const refusal = failure(reason, formatHost(host), port, 502);
  if (!(error instanceof Untrusted)) return refusal;
  return { ...refusal, body: { ...refusal.body, message: `${refusal.body.message}: ${error.message}` } };
}

/** The origin ended a connection that was there. Programs begin such a request anew by themselves, which an answer would keep them from. */
function isHangUp(error: NodeJS.ErrnoException): boolean {
  return error.code === 'UND_ERR_SOCKET' || error.code === 'ECONNRESET' || error.code === 'EPIPE';
}

/** The client may still be about to speak. */
async function firstBytes<Image>({ client, head }: InspectedTunnel<Image>): Promise<Uint8Array> {
  if (head.length > 0) return head;
  return new Promise((resolve) => {
    const settle = () => resolve((client.read() as Buffer | null) ?? NOTHING);
    client.once('readable', settle);
    client.once('close', settle);
  });
}

const TLS_HANDSHAKE = 0x16;
const HTTP_REQUEST = /^[A-Z][A-Z-]{0,20} /;
const NOTHING = new Uint8Array(0);
const BUSY = malformed('the run has too many requests under way', 503);
