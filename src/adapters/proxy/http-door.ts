import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import httpProxy from '@fastify/http-proxy';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { formatAuthority, formatHost } from '../../core/egress/authority.ts';
import type { AbsoluteTarget } from '../../core/egress/request-target.ts';
import { onConnect } from './connect-door.ts';
import type { Doorway } from './doorway.ts';
import type { Admitted } from './gate.ts';
import { askedOf, connectionNames, HOP_BY_HOP, readHttpTarget } from './http-target.ts';
import { RunLoad } from './limits.ts';
import { ABORT, type PinnedAgent, pinnedAgent, pinnedOrigin } from './pinned-agent.ts';
import { endWithRefusal, failure, malformed, type Refusal } from './refusal.ts';
import { onUpgrade } from './upgrade-door.ts';

/** What is known of a request under way. */
type Exchange = {
  target: AbsoluteTarget | Refusal;
  started: number;
  /** Set when it was admitted. */
  origin?: string;
  /** Fires when the client has gone before its answer was complete. */
  gone?: AbortSignal;
};

/** The explicit proxy: plain HTTP in absolute form, CONNECT and upgrades. */
export function httpDoor<Image>(doorway: Doorway<Image>): FastifyInstance {
  const { limits } = doorway;
  const exchanges = new WeakMap<IncomingMessage, Exchange>();
  const app = Fastify({
    serverFactory: (handler) => strictServer(doorway, handler),
    logger: false,
    exposeHeadRoutes: false,
    keepAliveTimeout: limits.keepAliveMs,
    forceCloseConnections: true,
    rewriteUrl: (request) => {
      const target = readHttpTarget(request as IncomingMessage, request.url ?? '');
      exchanges.set(request as IncomingMessage, { target, started: performance.now() });
      return 'body' in target ? '/' : target.path + target.query;
    },
  });
  for (const method of EXTRA_METHODS) app.addHttpMethod(method, { hasBody: true });
  const requests = new RunLoad(limits.requestsPerRun);
  app.addHook('onRequest', (request, reply) => decide(doorway, requests, exchanges.get(request.raw), request, reply));
  app.setErrorHandler((error: { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    return send(reply, malformed(status < 500 ? 'the request cannot be passed on' : 'the request failed', status));
  });
  app.setNotFoundHandler((_request, reply) => send(reply, malformed('this method is not passed on', 501)));
  const agent = pinnedAgent(limits);
  app.register(httpProxy, proxyOptions(agent, exchanges));
  app.addHook('onClose', () => agent.destroy());
  return app;
}

async function decide<Image>(
  doorway: Doorway<Image>,
  requests: RunLoad,
  exchange: Exchange | undefined,
  { raw }: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const connection = doorway.attribution.of(raw.socket);
  if (!connection || !exchange) return send(reply, malformed('whose request this is, is not known', 407));
  const { target } = exchange;
  if ('body' in target) return send(reply, target);
  const { host, port } = target;
  const destination = { host, port, via: 'http' as const, ...askedOf(raw, target) };
  const giveBack = requests.take(connection.run);
  if (!giveBack) return send(reply, await doorway.refuseForResources(connection, destination));
  reply.raw.once('close', giveBack);
  const admitted = await doorway.admit(connection, destination);
  if (!('ok' in admitted)) return send(reply, admitted);
  exchange.origin = pinnedOrigin(connection.run, formatHost(host), admitted);
  exchange.gone = goneSignal(reply);
  recordEnd(exchange, admitted, raw.socket, reply);
  return undefined;
}

function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => raw.writableFinished || gone.abort());
  return gone.signal;
}

/** Counts bytes by what the client's connection carried since the exchange before this one. */
function recordEnd(exchange: Exchange, admitted: Admitted, socket: Socket, reply: FastifyReply): void {
  reply.raw.once('close', () => {
    const before = seen.get(socket) ?? { read: 0, written: 0 };
    const now = { read: socket.bytesRead, written: socket.bytesWritten };
    seen.set(socket, now);
    admitted.closed({
      address: admitted.addresses[0],
      bytesUp: now.read - before.read,
      bytesDown: now.written - before.written,
      durationMs: Math.round(performance.now() - exchange.started),
    });
  });
}

function proxyOptions(agent: PinnedAgent, exchanges: WeakMap<IncomingMessage, Exchange>) {
  return {
    upstream: '',
    undici: agent,
    disableCache: true,
    disableRequestLogging: true,
    internalRewriteLocationHeader: false,
    httpMethods: METHODS,
    replyOptions: {
      // An origin that is missing here was not decided: without a scheme the request fails before anything is dialled.
      getUpstream: ({ raw }: { raw: IncomingMessage }) => exchanges.get(raw)?.origin ?? '',
      retryDelay: () => null,
      rewriteRequestHeaders: ({ raw }: { raw: IncomingMessage }, headers: Record<string, unknown>) => {
        for (const name of HOP_BY_HOP) delete headers[name];
        const target = exchanges.get(raw)?.target;
        if (target && 'host' in target) headers['host'] = formatAuthority(target, 80);
        return { ...headers, [ABORT]: exchanges.get(raw)?.gone };
      },
      rewriteHeaders: (headers: Record<string, unknown>) => {
        for (const name of connectionNames(headers['connection'])) delete headers[name];
        for (const name of HOP_BY_HOP) delete headers[name];
        return headers;
      },
      onError: (reply: FastifyReply) => {
        const target = exchanges.get(reply.request.raw)?.target;
        if (target && 'host' in target) send(reply, failure('unreachable', formatHost(target.host), target.port, 502));
        else send(reply, malformed('the request failed', 500));
      },
    },
  } as Parameters<typeof httpProxy>[1];
}

/** A server that parses nothing before it knows whose connection it is. It listens itself, since Node enforces header time-outs only then. */
function strictServer<Image>(
  doorway: Doorway<Image>,
  handler: (request: IncomingMessage, response: never) => void,
): Server {
  const { limits } = doorway;
  const server = createServer(
    {
      insecureHTTPParser: false,
      requireHostHeader: true,
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      requestTimeout: 0, // uploads last as long as they last
      connectionsCheckingInterval: limits.headersCheckMs,
      noDelay: true,
      keepAlive: true,
    },
    handler as never,
  );
  const [parse] = server.listeners('connection') as Array<(this: Server, socket: Socket) => void>;
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const ignore = () => socket.destroy();
    socket.on('error', ignore);
    doorway.attribution.attribute(socket, 'proxy').then((found) => {
      if (socket.destroyed) return;
      if (!found.ok) return endWithRefusal(socket, found.why === 'resources' ? BUSY : STRANGER);
      socket.off('error', ignore);
      parse?.call(server, socket);
    }, ignore);
  });
  // An accept that fails, for want of descriptors say, must not end the daemon.
  server.on('error', () => undefined);
  server.on('connect', (request, socket, head) => onConnect(doorway, request, socket as Socket, head));
  server.on('upgrade', (request, socket, head) => onUpgrade(doorway, request, socket as Socket, head));
  return server;
}

function send(reply: FastifyReply, { status, body }: Refusal): FastifyReply {
  reply.header('gatekeeper-reason', body.reason).header('connection', 'close');
  return reply.code(status).send(body);
}

const seen = new WeakMap<Socket, { read: number; written: number }>();
const STRANGER = malformed('this proxy serves programs that run under gatekeeper', 407);
const BUSY = malformed('the run has too many connections open', 503);
/** TRACE stays out: it shows a program headers that were added on the way. */
const EXTRA_METHODS = [
  'PROPFIND',
  'PROPPATCH',
  'MKCOL',
  'COPY',
  'MOVE',
  'LOCK',
  'UNLOCK',
  'REPORT',
  'SEARCH',
  'MKCALENDAR',
];
const METHODS = ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT', 'OPTIONS', ...EXTRA_METHODS];
