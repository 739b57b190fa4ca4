import type { Socket } from 'node:net';
import type { Authority } from '../../core/egress/authority.ts';
import {
  NO_AUTHENTICATION,
  readGreeting,
  readSocksRequest,
  SOCKS_VERSION,
  SOCKS4_VERSION,
  socksReply,
} from '../../core/egress/socks.ts';
import type { Doorway } from './doorway.ts';
import { knownBy } from './egress-event.ts';
import { lingerAndClose, type Refusal } from './refusal.ts';

/** No request of HTTP begins with such a byte. */
export const isSocks = (firstByte: number | undefined): boolean =>
  firstByte === SOCKS_VERSION || firstByte === SOCKS4_VERSION;

/** SOCKS 5 without authentication: the connection's own port says whose it is. Version 4, which knows no names in most clients, is told that it is refused. */
export function onSocks<Image>(doorway: Doorway<Image>, socket: Socket): void {
  socket.on('error', () => socket.destroy());
  serve(doorway, socket).catch(() => socket.destroy());
}

async function serve<Image>(doorway: Doorway<Image>, socket: Socket): Promise<void> {
  const connection = doorway.attribution.of(socket);
  const asked = connection && (await readAsked(socket, doorway.limits.headersMs));
  if (!connection || !asked) return void socket.destroy();
  if ('answer' in asked) return endWith(socket, asked.answer);
  const { host, rest } = asked;
  const destination = { host, port: asked.port, via: 'socks' as const, known: knownBy(host, 'socks') };
  const established = () => void socket.write(socksReply('succeeded'));
  const refusal = await doorway.tunnel(connection, destination, socket, rest, established);
  if (refusal) endWith(socket, socksReply(codeOf(refusal)));
}

type Asked = (Authority & { rest: Uint8Array }) | { answer: Uint8Array };

/** Greets and reads the request; bounded, as both are. Afterwards the socket is paused. Undefined when the client went, or took too long. */
function readAsked(socket: Socket, ms: number): Promise<Asked | undefined> {
  return new Promise((resolve) => {
    let held: Uint8Array = new Uint8Array(0);
    let greeted = false;
    const settle = (asked: Asked | undefined) => {
      clearTimeout(timer);
      socket.off('data', take).off('end', gone).off('close', gone).pause();
      resolve(asked);
    };
    const gone = () => settle(undefined);
    const take = (chunk: Uint8Array) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      if (!greeted) {
        const greeting = readGreeting(held);
        if (greeting.kind === 'refused') return settle(greeting);
        if (greeting.kind === 'more') return;
        held = held.subarray(greeting.length);
        greeted = true;
        socket.write(NO_AUTHENTICATION);
      }
      const request = readSocksRequest(held);
      if (request.kind === 'refused') settle(request);
      if (request.kind === 'read') settle({ ...request.said, rest: held.subarray(request.length) });
    };
    const timer = setTimeout(gone, ms);
    socket.on('data', take).once('end', gone).once('close', gone).resume();
  });
}

function codeOf({ status, body }: Refusal): Parameters<typeof socksReply>[0] {
  if (body.reason === 'unresolved' || body.reason === 'unreachable') return 'host-unreachable';
  return status === 403 ? 'not-allowed' : 'general-failure';
}

function endWith(socket: Socket, answer: Uint8Array): void {
  socket.end(answer);
  lingerAndClose(socket);
}
