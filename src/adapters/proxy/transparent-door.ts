import { createServer, type Server, type Socket } from 'node:net';
import { parseAddress } from '../../core/egress/address.ts';
import { RESOLVER, syntheticNumber } from '../../core/egress/synthetic.ts';
import { serveNames } from './dns-door.ts';
import type { Doorway } from './doorway.ts';
import type { NameGate } from './name-gate.ts';

/**
 * Redirected connections: the program believes that it speaks to the address its supervisor announced, which may stand for a name, or for the run's
 * resolver. It can only be told no by a reset.
 */
export function transparentServer<Image>(doorway: Doorway<Image>, gate: NameGate<Image>): Server {
  return createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    serve(doorway, gate, socket).catch(() => socket.destroy());
  });
}

async function serve<Image>(doorway: Doorway<Image>, gate: NameGate<Image>, socket: Socket): Promise<void> {
  const found = await doorway.attribution.attribute(socket, 'transparent');
  if (!found.ok) return void socket.resetAndDestroy();
  const { connection } = found;
  const address = parseAddress(connection.address ?? '');
  const { port } = connection;
  if (!address || port === undefined || !Number.isInteger(port) || port < 1 || port > 65_535) {
    return void socket.resetAndDestroy();
  }
  if (port === DNS_PORT && syntheticNumber(address) === RESOLVER)
    return serveNames(gate, doorway.limits, connection, socket);
  const destination = { host: { kind: 'address', address }, port, via: 'transparent', known: 'literal' } as const;
  const refusal = await doorway.tunnel(connection, destination, socket, NOTHING, () => undefined);
  if (refusal && !socket.destroyed) socket.resetAndDestroy();
}

const NOTHING = new Uint8Array(0);
const DNS_PORT = 53;
