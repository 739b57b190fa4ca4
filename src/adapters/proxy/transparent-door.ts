import { createServer, type Server, type Socket } from 'node:net';
import { parseAddress } from '../../core/egress/address.ts';
import type { Doorway } from './doorway.ts';

/**
 * Redirected connections: the program believes that it speaks to the address its supervisor announced. It can only be told no by a reset.
 */
export function transparentServer<Image>(doorway: Doorway<Image>): Server {
  return createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    serve(doorway, socket).catch(() => socket.destroy());
  });
}

async function serve<Image>(doorway: Doorway<Image>, socket: Socket): Promise<void> {
  const found = await doorway.attribution.attribute(socket, 'transparent');
  if (!found.ok) return void socket.resetAndDestroy();
  const { connection } = found;
  const address = parseAddress(connection.address ?? '');
  const { port } = connection;
  if (!address || port === undefined || !Number.isInteger(port) || port < 1 || port > 65_535) {
    return void socket.resetAndDestroy();
  }
  const destination = { host: { kind: 'address', address }, port, via: 'transparent', known: 'literal' } as const;
  const refusal = await doorway.tunnel(connection, destination, socket, NOTHING, () => undefined);
  if (refusal && !socket.destroyed) socket.resetAndDestroy();
}

const NOTHING = new Uint8Array(0);
