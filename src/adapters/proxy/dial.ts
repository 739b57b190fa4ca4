import { connect, type Socket } from 'node:net';
import { type Address, formatAddress } from '../../core/egress/address.ts';
import type { Limits } from './limits.ts';
import { ClientGone, timedOut } from './outcome.ts';

export type Dialled = { socket: Socket; address: Address };
/** Opens one socket to the address and starts connecting. */
export type OpenSocket = (address: string, port: number) => Socket;

/**
 * Connects to the first of the checked addresses that answers; each gets a short head start before the next is tried too (RFC 8305). Only
 * literal addresses are dialled, so nothing is looked up a second time. Rejects when none answers or the client, if there is one, closes.
 */
export function dial(
  addresses: readonly Address[],
  port: number,
  limits: Pick<Limits, 'staggerMs' | 'dialMs'>,
  client: Socket | undefined,
  open: OpenSocket = openPlain,
): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    const attempts = new Set<Socket>();
    const waiting = [...addresses];
    let stagger: NodeJS.Timeout | undefined;
    let last: Error | undefined;

    const settle = (won: Dialled | undefined, error?: Error) => {
      clearTimeout(deadline);
      clearTimeout(stagger);
      client?.off('close', gone);
      for (const socket of attempts) if (socket !== won?.socket) socket.destroy();
      if (won) resolve(won);
      else reject(error ?? new Error('no address answered', { cause: last }));
    };
    const tryNext = () => {
      clearTimeout(stagger);
      const address = waiting.shift();
      if (!address) return attempts.size === 0 ? settle(undefined) : undefined;
      const socket = open(formatAddress(address), port);
      attempts.add(socket);
      const failed = (error: Error) => {
        last = error;
        attempts.delete(socket);
        tryNext();
      };
      socket.once('error', failed);
      socket.once('connect', () => {
        socket.off('error', failed);
        settle({ socket, address });
      });
      if (waiting.length > 0) stagger = setTimeout(tryNext, limits.staggerMs);
    };
    const gone = () => settle(undefined, new ClientGone());
    const deadline = setTimeout(() => settle(undefined, timedOut('no address in time')), limits.dialMs);
    if (client?.destroyed) return gone();
    client?.once('close', gone);
    tryNext();
  });
}

/** What every socket to the outside has: half-open ends are the relay's business, small writes go out at once. */
export const SOCKET_OPTIONS = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 };

function openPlain(address: string, port: number): Socket {
  return connect({ host: address, port, family: address.includes(':') ? 6 : 4, ...SOCKET_OPTIONS });
}
