import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { formatAuthority, formatHost } from '../../core/egress/authority.ts';
import { HOP_BY_HOP } from '../../core/egress/hop-by-hop.ts';
import type { AbsoluteTarget } from '../../core/egress/request-target.ts';
import { dial } from './dial.ts';
import type { Doorway } from './doorway.ts';
import { knownBy } from './egress-event.ts';
import { askedOf, connectionNames, readHttpTarget } from './http-target.ts';
import { type InjectedHeader, isReplaced } from './injection.ts';
import type { Limits } from './limits.ts';
import { outcomeOf } from './outcome.ts';
import { endWithRefusal, failure, malformed, type Refusal } from './refusal.ts';
import { relay, type TunnelBytes } from './relay.ts';

/**
 * Plain HTTP requests that ask for another protocol on their connection. WebSocket is passed on; other upgrades (h2c) are offered to the
 * origin as the plain request they also are.
 */
export function onUpgrade<Image>(
  doorway: Doorway<Image>,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
): void {
  socket.on('error', () => socket.destroy());
  socket.setTimeout(0);
  serve(doorway, request, socket, head)
    .then((refusal) => refusal && endWithRefusal(socket, refusal))
    .catch(() => socket.destroy());
}

async function serve<Image>(
  doorway: Doorway<Image>,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
): Promise<Refusal | undefined> {
  const connection = doorway.attribution.of(socket);
  if (!connection) return malformed('whose request this is, is not known', 407);
  const target = readHttpTarget(request, request.url ?? '');
  if ('body' in target) return target;
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return malformed('an upgrade with this method is not passed on', 501);
  const { host, port } = target;
  const admitted = await doorway.admit(connection, {
    host,
    port,
    via: 'upgrade',
    known: knownBy(host, 'http'),
    ...askedOf(request, target),
  });
  if (!('ok' in admitted)) return admitted;
  const started = performance.now();
  let result: string | undefined;
  const dialled = socket.destroyed
    ? undefined
    : await dial(admitted.addresses, port, doorway.limits, socket).catch((error) => {
        result = outcomeOf(error);
        return undefined;
      });
  const unreachable = failure('unreachable', formatHost(host), port, 502);
  const bytes =
    dialled &&
    (await passUpgrade(
      { request, target, usualPort: 80, injected: admitted.headers, socket, head, unreachable },
      dialled.socket,
      doorway.limits,
    ));
  const durationMs = Math.round(performance.now() - started);
  // What was allowed has an end, whatever became of it.
  if (bytes) result = 'ok';
  admitted.closed({ address: dialled?.address, result, ...(bytes ?? NOTHING_CARRIED), durationMs });
  return dialled || socket.destroyed ? undefined : unreachable;
}

export type Upgrade = {
  request: IncomingMessage;
  target: AbsoluteTarget;
  /** Left out of the Host header. */
  usualPort: number;
  injected: readonly InjectedHeader[];
  /** The client's, with what it sent behind its request. */
  socket: Socket;
  head: Buffer;
  unreachable: Refusal;
};

/** Sends the request to the origin and carries what follows. Undefined when the origin stayed with HTTP or did not answer; the client knows by then. */
export async function passUpgrade(
  upgrade: Upgrade,
  origin: Socket,
  { idleMs }: Limits,
): Promise<TunnelBytes | undefined> {
  const { socket, head, unreachable } = upgrade;
  origin.on('error', () => origin.destroy());
  if (socket.destroyed) return void origin.destroy();
  socket.once('close', () => origin.destroy());
  const outgoing = openRequest(upgrade, origin);
  const farSide = await answerTo(outgoing, socket, unreachable);
  return farSide && relay(socket, farSide, head, idleMs);
}

/** Gives the client the origin's answer; the connection to the origin, when it changed the protocol. */
function answerTo(outgoing: ClientRequest, socket: Socket, unreachable: Refusal): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    let answered = false;
    outgoing.setTimeout(ANSWER_MS, () => outgoing.destroy());
    outgoing.on('error', () => {
      if (answered) socket.destroy();
      else endWithRefusal(socket, unreachable);
      answered = true;
      resolve(undefined);
    });
    outgoing.once('response', (response) => {
      answered = true;
      passOn(response, socket);
      resolve(undefined);
    });
    outgoing.once('upgrade', (response, farSide, farHead) => {
      answered = true;
      // What follows is looked at by nobody, so it is the protocol that was asked for or none.
      if (!isWebSocket(outgoing.getHeader('upgrade')) || !isWebSocket(response.headers.upgrade)) {
        farSide.destroy();
        endWithRefusal(socket, unreachable);
        return resolve(undefined);
      }
      outgoing.setTimeout(0);
      socket.write(responseHead(response, ['connection: upgrade', 'upgrade: websocket']), 'latin1');
      if (farHead.length > 0) farSide.unshift(farHead);
      resolve(farSide as Socket);
    });
    outgoing.end();
  });
}

function openRequest({ request, target, usualPort, injected }: Upgrade, socket: Socket): ClientRequest {
  const headers: Record<string, string | string[] | undefined> = { ...request.headers };
  const upgrade = headers['upgrade'];
  for (const name of [...HOP_BY_HOP, ...connectionNames(headers['connection'])]) delete headers[name];
  for (const name of Object.keys(headers)) if (isReplaced(name, injected)) delete headers[name];
  for (const [name, value] of injected) headers[name] = value;
  headers['host'] = formatAuthority(target, usualPort);
  headers['connection'] = 'close';
  if (isWebSocket(upgrade)) {
    headers['connection'] = 'upgrade';
    headers['upgrade'] = 'websocket';
  }
  const path = target.path + target.query;
  return httpRequest({
    createConnection: () => socket,
    method: request.method ?? 'GET',
    path,
    headers,
    setHost: false,
  });
}

const isWebSocket = (protocol: unknown): boolean => String(protocol ?? '').toLowerCase() === 'websocket';

/** The origin stayed with HTTP: one answer, then the end of the connection tells where it ends. */
function passOn(response: IncomingMessage, socket: Socket): void {
  socket.write(responseHead(response, ['connection: close']), 'latin1');
  response.once('error', () => socket.destroy());
  response.pipe(socket);
  socket.resume();
}

/** As Node reads it, each character is one byte. */
function responseHead(response: IncomingMessage, extra: readonly string[]): string {
  const dropped = new Set<string>([...HOP_BY_HOP, ...connectionNames(response.headers.connection)]);
  const lines = [`HTTP/1.1 ${response.statusCode} ${response.statusMessage}`];
  for (let at = 0; at + 1 < response.rawHeaders.length; at += 2) {
    const name = response.rawHeaders[at] ?? '';
    if (!dropped.has(name.toLowerCase())) lines.push(`${name}: ${response.rawHeaders[at + 1]}`);
  }
  return `${[...lines, ...extra].join('\r\n')}\r\n\r\n`;
}

const NOTHING_CARRIED: TunnelBytes = { bytesUp: 0, bytesDown: 0 };
const ANSWER_MS = 600_000;
