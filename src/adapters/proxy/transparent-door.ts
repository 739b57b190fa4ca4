import { createServer, type Server, type Socket } from 'node:net';
import { type Address, parseAddress } from '../../core/egress/address.ts';
import { RESOLVER, syntheticNumber } from '../../core/egress/synthetic.ts';
import { serveNames } from './dns-door.ts';
import type { Doorway } from './doorway.ts';
import type { Destination } from './gate.ts';
import type { NameGate } from './name-gate.ts';
import type { RunNames } from './names.ts';

/** What the door knows of names. */
export type NameParts<Image> = { names: RunNames; gate: NameGate<Image> };

/**
 * Redirected connections: the program believes that it speaks to the address its supervisor announced, which may stand for a name, or for the run's
 * resolver. It can only be told no by a reset.
 */
export function transparentServer<Image>(doorway: Doorway<Image>, parts: NameParts<Image>): Server {
  return createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    serve(doorway, parts, socket).catch(() => socket.destroy());
  });
}

async function serve<Image>(doorway: Doorway<Image>, { names, gate }: NameParts<Image>, socket: Socket): Promise<void> {
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
  const destination = { ...meantBy(names, connection.run, address), port, via: 'transparent' as const };
  const refusal = await doorway.tunnel(connection, destination, socket, NOTHING, () => undefined);
  if (refusal && !socket.destroyed) socket.resetAndDestroy();
}

/** The host that a program means by an address. A synthetic one that stands for no name in its run stays, and is refused. */
export function meantBy(names: RunNames, run: string, address: Address): Pick<Destination, 'host' | 'known'> {
  const name = names.nameOf(run, address);
  return name === undefined
    ? { host: { kind: 'address', address }, known: 'literal' }
    : { host: { kind: 'name', name }, known: 'dns' };
}

const NOTHING = new Uint8Array(0);
const DNS_PORT = 53;
