import { type AddressInfo, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** The first bytes that a program sends to the port that it is given; it is hung up on when they have come. */
export async function firstFlight(start: (port: number) => unknown): Promise<Buffer> {
  const server = createServer();
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
  const bytes = new Promise<Buffer>((resolve) => {
    server.once('connection', (socket) => {
      socket.on('error', () => undefined);
      const parts: Buffer[] = [];
      socket.on('data', (part) => {
        parts.push(part);
        const all = Buffer.concat(parts);
        if (all.length < 5 || all.length < 5 + all.readUInt16BE(3)) return;
        socket.destroy();
        resolve(all);
      });
    });
  });
  start(port);
  const found = await bytes;
  server.close();
  return found;
}

/** What Node's TLS says first to a host. */
export function capturedHello(servername: string): Promise<Buffer> {
  return firstFlight((port) => connectTls({ port, host: '127.0.0.1', servername }).on('error', () => undefined));
}
