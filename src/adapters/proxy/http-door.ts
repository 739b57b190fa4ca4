import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import httpProxy from '@fastify/http-proxy';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { formatAuthority, formatHost } from '../../core/egress/authority.ts';
import { HOP_BY_HOP } from '../../core/egress/hop-by-hop.ts';
import { whenOver } from './answer-end.ts';
import { onConnect } from './connect-door.ts';
import type { Doorway } from './doorway.ts';
import { withFirstByte } from './first-byte.ts';
import { admitExchange, type Exchange, failedBy } from './http-exchange.ts';
import { connectionNames, readHttpTarget } from './http-target.ts';
import { type InjectedHeader, isReplaced } from './injection.ts';
import { RunLoad } from './limits.ts';
import { ABORT, type PinnedAgent, pinnedAgent } from './pinned-agent.ts';
import { endWithRefusal, failure, malformed, type Refusal, statusText } from './refusal.ts';
import { goesShortWay, takeShortWay } from './short-way.ts';
import { isSocks, onSocks } from './socks-door.ts';
import { onUpgrade } from './upgrade-door.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** What is known of a request that goes the long way. */
type LongExchange = Exchange & {
  /** Set when it was admitted. */
  origin?: string;
  /** What rules put in. */
  injected?: readonly InjectedHeader[];
  /** Fires when the client has gone before its answer was complete. */
  gone?: AbortSignal;
};

/** The explicit proxy: plain HTTP in absolute form, CONNECT and upgrades; and SOCKS on the same port, told by its first byte. */
export function httpDoor<Image>(doorway: Doorway<Image>): FastifyInstance {
  const { limits } = doorway;
  const exchanges = new WeakMap<IncomingMessage, LongExchange>();
  const requests = new RunLoad(limits.requestsPerRun);
  const agent = pinnedAgent(limits);
  const choose = (goLongWay: Handler): Handler => {
    return (request, response) => {
      // The answer to the request before ends the connection, whose bytes could be read in two ways from there on.
      if (spoiled.has(request.socket)) return;
      const target = readHttpTarget(request, request.url ?? '');
      const started = performance.now();
      if ('body' in target) spoiled.add(request.socket);
      else if (goesShortWay(request, target))
        return void takeShortWay(doorway, requests, agent, { target, started }, request, response);
      exchanges.set(request, { target, started });
      goLongWay(request, response);
    };
  };
  const app = Fastify({
    serverFactory: (handler) => strictServer(doorway, choose(handler as Handler)),
    logger: false,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    rewriteUrl: (request) => {
      const target = exchanges.get(request as IncomingMessage)?.target;
      return !target || 'body' in target ? '/' : target.path + target.query;
    },
  });
  for (const method of EXTRA_METHODS) app.addHttpMethod(method, { hasBody: true });
  app.addHook('onRequest', (request, reply) => decide(doorway, requests, exchanges.get(request.raw), request, reply));
  app.setErrorHandler((error: { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    return send(reply, malformed(status < 500 ? 'the request cannot be passed on' : 'the request failed', status));
  });
  app.setNotFoundHandler((_request, reply) => send(reply, malformed('this method is not passed on', 501)));
  app.register(httpProxy, proxyOptions(agent, exchanges));
  app.addHook('onClose', () => agent.destroy());
  return app;
}

async function decide<Image>(
  doorway: Doorway<Image>,
  requests: RunLoad,
  exchange: LongExchange | undefined,
  { raw }: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const admitted = await admitExchange(doorway, requests, exchange, raw, reply.raw);
  if ('body' in admitted || !exchange)
    return send(reply, 'body' in admitted ? admitted : malformed('the request failed', 500));
  exchange.origin = admitted.origin;
  exchange.injected = admitted.headers;
  exchange.gone = goneSignal(reply);
  return undefined;
}

function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  const abort = () => raw.writableFinished || gone.abort();
  whenOver(raw, abort);
  return gone.signal;
}

function proxyOptions(agent: PinnedAgent, exchanges: WeakMap<IncomingMessage, LongExchange>) {
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
        const injected = exchanges.get(raw)?.injected ?? [];
        for (const name of Object.keys(headers)) if (isReplaced(name.toLowerCase(), injected)) delete headers[name];
        Object.assign(headers, Object.fromEntries(injected));
        if (target && 'host' in target) headers['host'] = formatAuthority(target, 80);
        return { ...headers, [ABORT]: exchanges.get(raw)?.gone };
      },
      rewriteHeaders: (headers: Record<string, unknown>) => {
        for (const name of connectionNames(headers['connection'])) delete headers[name];
        for (const name of HOP_BY_HOP) delete headers[name];
        return headers;
      },
      onError: (reply: FastifyReply, { error }: { error: Error }) => {
        failedBy(reply.raw, error);
        const target = exchanges.get(reply.request.raw)?.target;
        if (target && 'host' in target) send(reply, failure('unreachable', formatHost(target.host), target.port, 502));
        else send(reply, malformed('the request failed', 500));
      },
    },
  } as Parameters<typeof httpProxy>[1];
}

/** A server that parses nothing before it knows whose connection it is. It listens itself, since Node enforces header time-outs only then. */
function strictServer<Image>(doorway: Doorway<Image>, handler: Handler): Server {
  const { limits } = doorway;
  const server = createServer(
    {
      insecureHTTPParser: false,
      requireHostHeader: false, // that there is one is looked at with all else, whose refusal ends the connection
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      keepAliveTimeout: limits.keepAliveMs,
      requestTimeout: 0, // uploads last as long as they last
      connectionsCheckingInterval: limits.headersCheckMs,
      noDelay: true,
      keepAlive: true,
    },
    handler,
  );
  const [parse] = server.listeners('connection') as Array<(this: Server, socket: Socket) => void>;
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const ignore = () => socket.destroy();
    socket.on('error', ignore);
    doorway.attribution.attribute(socket, 'proxy').then((found) => {
      if (socket.destroyed) return;
      if (!found.ok) return endWithRefusal(socket, found.why === 'resources' ? BUSY : STRANGER);
      withFirstByte(socket, limits.headersMs, (byte) => {
        socket.off('error', ignore);
        if (isSocks(byte)) onSocks(doorway, socket);
        else parse?.call(server, socket);
      });
    }, ignore);
  });
  // An accept that fails, for want of descriptors say, must not end the daemon.
  server.on('error', () => undefined);
  const leaving = (leave: typeof onConnect) => (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const socket = stream as Socket;
    if (spoiled.has(socket)) socket.destroy();
    else leave(doorway, request, socket, head);
  };
  server.on('connect', leaving(onConnect)).on('upgrade', leaving(onUpgrade));
  return server;
}

function send(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { status, body } = refusal;
  reply.raw.statusMessage = statusText(refusal);
  reply.header('gatekeeper-reason', body.reason).header('connection', 'close');
  return reply.code(status).send(body);
}

/** Connections with a request that was malformed. */
const spoiled = new WeakSet<Socket>();
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
