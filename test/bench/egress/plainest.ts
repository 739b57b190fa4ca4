/**
 * What egress is held against: the plainest relay in Node (accept, connect, pipe both ways) and the plainest proxy for HTTP, which decide and record
 * nothing. A process of its own, which tells its ports.
 */
import { Agent, createServer as createHttpServer, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { cpuSeconds } from './door.ts';
import { listen } from './servers.ts';

export type PlainPorts = { relay: number; plain: number };

// The relay learns the target from the first line, so that one listener serves all measurements.
const relay = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  client.once('data', (line) => {
    client.pause();
    const far = connect({ port: Number(line), host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    far.once('connect', () => client.write('+') && client.pipe(far).pipe(client));
    for (const side of [client, far]) side.on('error', () => side.destroy());
  });
});
const outgoing = new Agent({ keepAlive: true });
const plain = createHttpServer((incoming, response) => {
  const { port, pathname } = new URL(incoming.url ?? '');
  const { method, headers } = incoming;
  const asked = request({ host: '127.0.0.1', port, path: pathname, method, headers, agent: outgoing }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  asked.on('error', () => response.destroy()).end();
});
process.on('message', () => process.send?.({ rss: process.memoryUsage.rss(), cpu: cpuSeconds() }));
process.on('disconnect', () => process.exit());
process.send?.({ relay: await listen(relay), plain: await listen(plain) } satisfies PlainPorts);
