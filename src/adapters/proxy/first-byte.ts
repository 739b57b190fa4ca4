import type { Socket } from 'node:net';

/** Calls back with the first byte that comes and leaves it in the socket. A client that ends before, or takes longer, is hung up on. */
export function withFirstByte(socket: Socket, ms: number, then: (byte: number) => void): void {
  const look = () => {
    const chunk: Buffer | null = socket.read();
    const first = chunk?.[0];
    if (chunk === null || first === undefined) return false;
    socket.unshift(chunk);
    then(first);
    return true;
  };
  // Most often it came while it was found out whose connection it is.
  if (look()) return;
  const hangUp = () => socket.destroy();
  const again = () => {
    socket.off('readable', again).off('end', hangUp).off('timeout', hangUp).setTimeout(0);
    if (!look()) wait();
  };
  const wait = () => {
    if (socket.readableEnded) return hangUp();
    socket.once('readable', again).once('end', hangUp).once('timeout', hangUp).setTimeout(ms);
  };
  wait();
}
