/** The far side of the measurements of egress: a process of its own, which tells its ports. */
import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';

export const DOWNLOAD_BYTES = 1024 * 1024 * 1024;
/** `bulk` sends much once it has read something, `short` sends everything back. */
export type FarPorts = { bulk: number; short: number; http: number };

if (process.argv[1] === import.meta.filename) {
  process.on('disconnect', () => process.exit());
  process.send?.(await serve());
}

async function serve(): Promise<FarPorts> {
  const block = Buffer.alloc(1024 * 1024, 'x');
  const bulk = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => {
      let left = DOWNLOAD_BYTES / block.length;
      const more = () => {
        while (left-- > 0) if (!socket.write(block)) return void socket.once('drain', more);
        socket.end();
      };
      more();
    });
  });
  const short = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy()).pipe(socket);
  });
  const http = createHttp((_request, response) => response.end('{"ok":true}'));
  return { bulk: await listen(bulk), short: await listen(short), http: await listen(http) };
}

export async function listen(server: Server): Promise<number> {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
