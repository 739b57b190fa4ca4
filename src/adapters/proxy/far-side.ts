import { connect, type Socket } from 'node:net';
import { type OpenSocket, SOCKET_OPTIONS } from './dial.ts';
import { type BufferPool, ReadBuffers } from './read-buffers.ts';

/** Takes a chunk and calls `written` when its memory may be used again. */
export type Deliver = (chunk: Uint8Array, written: () => void) => void;

/** Opens sockets for the far side of a tunnel: they read into the pool's memory, and are quiet until `startReading`. */
export function farSideOpener(pool: BufferPool): OpenSocket {
  return (host, port) => new Reader(host, port, pool).socket;
}

/** Sends everything that the socket reads to `deliver`, at the pace at which it is written. Other sockets do, more slowly. */
export function startReading(farSide: Socket, deliver: Deliver): void {
  const reader = readers.get(farSide);
  if (reader) reader.deliver = deliver;
  else {
    farSide.on('data', (chunk) => {
      farSide.pause();
      deliver(chunk, () => farSide.resume());
    });
  }
  farSide.resume();
}

class Reader {
  readonly socket: Socket;
  deliver: Deliver = () => this.socket.destroy();
  readonly #buffers: ReadBuffers;
  #pendingWrites = 0;

  constructor(host: string, port: number, pool: BufferPool) {
    this.#buffers = new ReadBuffers(pool);
    this.socket = connect({
      ...{ host, port, family: host.includes(':') ? 6 : 4, ...SOCKET_OPTIONS },
      onread: {
        buffer: () => this.#buffers.next(this.#pendingWrites),
        callback: (bytes) => this.#read(this.#buffers.filled(bytes)),
      },
    });
    this.socket.pause();
    this.socket.once('close', () => this.#buffers.release(this.#pendingWrites > 0));
    readers.set(this.socket, this);
  }

  #read(chunk: Uint8Array): boolean {
    this.#pendingWrites++;
    this.deliver(chunk, () => {
      // Node runs this after the read returned, also when the kernel took everything at once.
      if (this.#pendingWrites-- === 2 && !this.socket.destroyed) this.socket.resume();
      this.#buffers.settle(this.#pendingWrites);
    });
    // With two reads on their way out, reading stops until the older one is written.
    return this.#pendingWrites < 2;
  }
}

const readers = new WeakMap<Socket, Reader>();
