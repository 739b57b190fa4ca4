/**
 * Cost of the egress path as ratios to the plainest relay in Node (accept, connect, pipe both ways), and of plain HTTP to the plainest proxy in
 * Node, which decides and records nothing: part of `npm run bench`. Client and server run in a process of their own, so that the figure is about the relay.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer as createHttpServer, request } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startEgressWith } from '../../src/adapters/proxy/egress.ts';
import type { Connection } from '../../src/adapters/proxy/egress-event.ts';

const DOWNLOAD_BYTES = 1024 * 1024 * 1024;
const CONNECTIONS = 3000;
const REQUESTS = 1000;
const PARALLEL = 16;
const ROUNDS = 3;
const ANYONE = { run: 'bench', pid: 1, program: '/bench' } as const;

type Ports = {
  relay: number;
  plain: number;
  proxy: number;
  transparent: number;
  bulk: number;
  short: number;
  http: number;
};
type Figures = Record<string, number>;

if (process.argv[2] === 'servers') await serve();
else if (process.argv[2] === 'client') await measure(JSON.parse(process.argv[3] ?? '') as Ports);
else await main();

async function main(): Promise<void> {
  const servers = fork(fileURLToPath(import.meta.url), ['servers']);
  const [{ bulk, short, http }] = (await once(servers, 'message')) as [Ports];
  // The relays learn the target from the first line, so that one listener serves all measurements.
  const relay = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.once('data', (line) => {
      client.pause();
      const far = connect({ port: Number(line), host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
      far.once('connect', () => client.write('+') && client.pipe(far).pipe(client));
      for (const side of [client, far]) side.on('error', () => side.destroy());
    });
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const outgoing = new Agent({ keepAlive: true });
  const plain = createHttpServer((incoming, response) => {
    const { port, pathname } = new URL(incoming.url ?? '');
    const { method, headers } = incoming;
    const asked = request({ host: '127.0.0.1', port, path: pathname, method, headers, agent: outgoing }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy()).end();
  }).listen(0, '127.0.0.1');
  await once(plain, 'listening');
  let wanted = bulk;
  const egress = await startEgressWith<null>({
    connection: async (): Promise<Connection> => ({ ...ANYONE, kind, address: '127.0.0.1', port: wanted }),
    policyOf: () => ({ image: null, simulate: false }),
    decide: () => ({ effect: 'allow', source: 'rule', rule: 0, pierced: null }),
    describeRule: () => undefined,
    record: async () => undefined,
    resolve: async () => ['127.0.0.1'],
  });
  let kind: Connection['kind'] = 'proxy';
  const ports: Ports = {
    ...{
      relay: (relay.address() as AddressInfo).port,
      plain: (plain.address() as AddressInfo).port,
      bulk,
      short,
      http,
    },
    ...{ proxy: egress.proxyPort, transparent: egress.transparentPort },
  };
  const client = fork(fileURLToPath(import.meta.url), ['client', JSON.stringify(ports)]);
  client.on('message', (message: { kind?: Connection['kind']; port?: number; figures?: Figures }) => {
    if (message.kind) kind = message.kind;
    if (message.port) wanted = message.port;
    if (message.figures) report(message.figures);
    else client.send('ready');
  });
  await once(client, 'exit');
  servers.kill();
  relay.close();
  plain.close();
  outgoing.destroy();
  await egress.close();
}

function report(figures: Figures): void {
  const row = (name: string, value: number, unit: string, base?: number) =>
    console.log(
      `${name.padEnd(34)} ${value.toFixed(value < 10 ? 2 : 0).padStart(8)} ${unit}${base ? `   ${(value / base).toFixed(2)}x` : ''}`,
    );
  row('tunnel, plain relay', figures['bulk:relay'] ?? 0, 'GB/s');
  row('tunnel, CONNECT', figures['bulk:connect'] ?? 0, 'GB/s', figures['bulk:relay']);
  row('tunnel, transparent', figures['bulk:transparent'] ?? 0, 'GB/s', figures['bulk:relay']);
  row('connections, plain relay', figures['short:relay'] ?? 0, '/s');
  row('connections, CONNECT', figures['short:connect'] ?? 0, '/s', figures['short:relay']);
  row('connections, transparent', figures['short:transparent'] ?? 0, '/s', figures['short:relay']);
  row(`${REQUESTS} short requests, bare`, figures['http:bare'] ?? 0, 'ms');
  row(`${REQUESTS} short requests, plainest proxy`, figures['http:plain'] ?? 0, 'ms', figures['http:bare']);
  row(`${REQUESTS} short requests, proxy`, figures['http:proxy'] ?? 0, 'ms', figures['http:bare']);
}

/** Best of the rounds, since other work on the machine only ever makes it slower; the kinds take turns. */
async function measure(ports: Ports): Promise<void> {
  const figures: Figures = {};
  const best = (name: string, value: number, better: (a: number, b: number) => number) => {
    figures[name] = name in figures ? better(figures[name] ?? value, value) : value;
  };
  const openers: Record<string, (port: number) => Promise<Socket>> = {
    relay: (port) => opened(ports.relay, `${port}\n`, '+'),
    connect: (port) =>
      opened(ports.proxy, `CONNECT b.test:${port} HTTP/1.1\r\nHost: b.test:${port}\r\n\r\n`, '\r\n\r\n'),
    transparent: async () => opened(ports.transparent, '', ''),
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, open] of Object.entries(openers)) {
      await tell({ kind: name === 'transparent' ? 'transparent' : 'proxy', port: ports.bulk });
      best(`bulk:${name}`, await download(() => open(ports.bulk)), Math.max);
      await tell({ port: ports.short });
      best(`short:${name}`, await connectionsPerSecond(() => open(ports.short)), Math.max);
    }
  }
  await tell({ kind: 'proxy' });
  // More rounds, since the first only warm the compiler.
  for (let round = 0; round < 4 * ROUNDS; round++) {
    best('http:bare', await requestsMs(ports.http, '/'), Math.min);
    for (const name of ['plain', 'proxy'] as const) {
      const time = await requestsMs(ports[name], `http://b.test:${ports.http}/`, `b.test:${ports.http}`);
      best(`http:${name}`, time, Math.min);
    }
  }
  process.send?.({ figures });
  process.disconnect();
}

async function download(open: () => Promise<Socket>): Promise<number> {
  const socket = await open();
  const began = performance.now();
  let bytes = 0;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
  });
  socket.write('go');
  socket.resume();
  await once(socket, 'end');
  socket.destroy();
  if (bytes !== DOWNLOAD_BYTES) throw new Error(`${bytes} bytes arrived`);
  return bytes / 1e6 / (performance.now() - began);
}

async function connectionsPerSecond(open: () => Promise<Socket>): Promise<number> {
  const began = performance.now();
  let left = CONNECTIONS;
  const worker = async () => {
    while (left-- > 0) {
      const socket = await open();
      socket.end('x');
      socket.resume();
      await once(socket, 'close');
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return (CONNECTIONS * 1000) / (performance.now() - began);
}

async function requestsMs(port: number, path: string, host?: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: PARALLEL });
  const began = performance.now();
  let left = REQUESTS;
  const worker = async () => {
    while (left-- > 0) {
      const outgoing = request({ port, path, agent, ...(host && { headers: { host } }) }).end();
      const [response] = await once(outgoing, 'response');
      if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
      await once(response.resume(), 'end');
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  agent.destroy();
  return performance.now() - began;
}

function opened(port: number, hello: string, until: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    socket.once('error', reject);
    if (until === '') return void socket.once('connect', () => resolve(socket));
    socket.write(hello);
    socket.once('data', (chunk) => {
      socket.pause();
      if (chunk.toString('latin1').endsWith(until)) resolve(socket);
      else reject(new Error(chunk.toString('latin1')));
    });
  });
}

async function serve(): Promise<void> {
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
  const short = createServer((socket) => socket.on('error', () => socket.destroy()).pipe(socket));
  const { createServer: createHttp } = await import('node:http');
  const http = createHttp((_request, response) => response.end('{"ok":true}'));
  const ports: number[] = [];
  for (const server of [bulk, short, http]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.push((server.address() as AddressInfo).port);
  }
  process.send?.({ bulk: ports[0], short: ports[1], http: ports[2] });
}

async function tell(message: object): Promise<void> {
  const ready = once(process, 'message');
  process.send?.(message);
  await ready;
}
