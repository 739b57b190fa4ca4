import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type Authority, parseAuthority, sameHost } from '../../core/egress/authority.ts';
import type { Doorway } from './doorway.ts';
import { knownBy } from './egress-event.ts';
import { endWithRefusal, malformed, type Refusal } from './refusal.ts';

/** CONNECT: a tunnel to `host:port` for any protocol. */
export function onConnect<Image>(
  doorway: Doorway<Image>,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
): void {
  // The HTTP server has let go of the socket: without a listener its first error would end the daemon.
  socket.on('error', () => socket.destroy());
  socket.setTimeout(0);
  const connection = doorway.attribution.of(socket);
  if (!connection) {
    socket.destroy();
    return;
  }
  const target = readTarget(request);
  if ('body' in target) {
    endWithRefusal(socket, target);
    return;
  }
  doorway
    .tunnel(connection, { ...target, via: 'connect', known: knownBy(target.host, 'connect') }, socket, head, () =>
      socket.write(ESTABLISHED),
    )
    .then((refusal) => refusal && endWithRefusal(socket, refusal))
    .catch(() => socket.destroy());
}

function readTarget(request: IncomingMessage): Authority | Refusal {
  const target = parseAuthority(request.url ?? '');
  if (!target) return malformed('CONNECT needs host:port, the port as a decimal number');
  const hosts = request.headersDistinct.host ?? [];
  if (hosts.length > 1) return malformed('more than one Host header');
  const named = hosts[0] === undefined ? target : parseAuthority(hosts[0], target.port);
  if (!named || !sameHost(named.host, target.host)) return malformed('Host header and CONNECT target disagree');
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding !== undefined || (length !== undefined && length !== '0')) return malformed('CONNECT with a body');
  return target;
}

const ESTABLISHED = 'HTTP/1.1 200 Connection Established\r\n\r\n';
