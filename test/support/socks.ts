import { connect, type Socket } from 'node:net';

export const SOCKS_GREETING = Buffer.of(5, 1, 0);

/** A request of SOCKS 5 to connect to a host that is given as a name. */
export function socksConnect(name: string | Uint8Array, port: number): Buffer {
  const bytes = Buffer.from(name as string);
  return Buffer.concat([Buffer.of(5, 1, 0, 3, bytes.length), bytes, Buffer.of(port >> 8, port & 255)]);
}

/**
 * Sends the bytes to a proxy and gives the code of its reply, after which the connection is a tunnel when it is 0. `undefined`: it ended without one.
 */
export function askSocks(port: number, bytes: Uint8Array): Promise<{ code: number | undefined; socket: Socket }> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    let got = Buffer.alloc(0);
    const done = (code: number | undefined) => {
      socket.off('data', take).pause();
      if (got.length > REPLY_END) socket.unshift(got.subarray(REPLY_END));
      resolve({ code, socket });
    };
    const take = (part: Buffer) => {
      got = Buffer.concat([got, part]);
      if (got[1] === 0xff) done(0xff);
      else if (got.length >= REPLY_END) done(got[3]);
    };
    socket.on('data', take).once('close', () => resolve({ code: undefined, socket }));
    socket.once('end', () => resolve({ code: undefined, socket }));
    socket.write(bytes);
  });
}

/** Where the answer to the greeting and the reply end. */
const REPLY_END = 2 + 10;
