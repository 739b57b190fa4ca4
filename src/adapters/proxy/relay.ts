import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { startReading } from './far-side.ts';
import { outcomeOf } from './outcome.ts';

/** `result` only when the far side failed. */
export type TunnelBytes = { bytesUp: number; bytesDown: number; result?: string | undefined };

/**
 * Copies both ways until both sides are closed. An end in one direction is passed on alone, so the other direction may go on; a failure on
 * one side resets the other, which could otherwise take half of the data for the whole. Resolves always. `head` is what the client has sent already; while it is
 * waited for only the other direction flows, and if it rejects both sides are reset.
 */
export function relay(
  client: Socket,
  farSide: Socket,
  head: Uint8Array | AsyncIterable<Uint8Array>,
  idleMs: number,
): Promise<TunnelBytes> {
  const count: TunnelBytes = { bytesUp: 0, bytesDown: 0 };
  if (head instanceof Uint8Array) copyUp(client, farSide, head, count);
  else copyUpFrom(client, farSide, head, count).catch(() => [client, farSide].map(reset));
  startReading(farSide, (chunk, written) => {
    count.bytesDown += chunk.length;
    client.write(chunk, written);
  });
  farSide.once('end', () => client.end());
  // Every byte of either direction passes this socket, so its clock is the tunnel's.
  farSide.setTimeout(idleMs, () => {
    count.result ??= 'ETIMEDOUT';
    reset(farSide);
  });
  farSide.once('error', (error) => {
    count.result ??= outcomeOf(error);
  });
  return new Promise((resolve) => {
    let open = 2;
    const couple = (side: Socket, other: Socket) => {
      side.once('close', () => {
        if (!(side.readableEnded && side.writableFinished)) reset(other);
        if (--open === 0) resolve(count);
      });
      if (side.destroyed) reset(other);
      if (side.closed && --open === 0) resolve(count);
    };
    couple(client, farSide);
    couple(farSide, client);
    for (const side of [client, farSide]) side.on('error', () => side.destroy());
  });
}

/** First what was read of the client by others. */
async function copyUpFrom(
  client: Socket,
  farSide: Socket,
  parts: AsyncIterable<Uint8Array>,
  count: TunnelBytes,
): Promise<void> {
  for await (const part of parts) {
    if (part.length === 0) continue;
    count.bytesUp += part.length;
    farSide.write(part);
  }
  copyUp(client, farSide, NOTHING, count);
}

function copyUp(client: Socket, farSide: Socket, head: Uint8Array, count: TunnelBytes): void {
  const up = (chunk: Uint8Array) => {
    count.bytesUp += chunk.length;
    if (!farSide.write(chunk)) client.pause();
  };
  farSide.on('drain', () => client.resume());
  client.once('end', () => farSide.end());
  if (head.length > 0) up(head);
  if (client.readableEnded) farSide.end();
  client.on('data', up);
  client.resume();
}

function reset(socket: Socket): void {
  if (socket.destroyed) return;
  // Only TCP knows a reset; TLS that ends without saying so is as clear.
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

const NOTHING = new Uint8Array(0);
