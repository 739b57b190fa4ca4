/** The near side of the measurements: opens connections through every way to the far side, and says what each measurement took. */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { DOWNLOAD_BYTES, type FarPorts } from './servers.ts';

/** Ways to the far side: `direct`, the plainest `relay`, gatekeeper's doors, another proxy. */
export type Way = 'direct' | 'relay' | 'connect' | 'socks' | 'transparent' | 'tinyproxy' | 'squid';
export type Measurement =
  | { what: 'bulk' | 'rate' | 'latency'; way: Way; port: number }
  | { what: 'requests'; port: number; far: number; keepAlive: boolean }
  | { what: 'hold'; way: Way; port: number; count: number }
  | { what: 'let go' };
export type Answer = { value: number; p95?: number } | { failed: string };

export const CONNECTIONS = 2000;
const LATENCIES = 300;
const REQUESTS = 1000;
const PARALLEL = 16;
const held: Socket[] = [];

if (process.argv[1] === import.meta.filename) {
  const far = JSON.parse(process.argv[2] ?? '') as FarPorts;
  process.on('message', (asked: Measurement) => {
    measure(asked, far).then(
      (answer) => process.send?.(answer),
      (error) => process.send?.({ failed: String(error) } satisfies Answer),
    );
  });
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}

async function measure(asked: Measurement, far: FarPorts): Promise<Answer> {
  switch (asked.what) {
    case 'bulk':
      return { value: await download(() => opened(asked.way, asked.port, far.bulk)) };
    case 'rate':
      return { value: await connectionsPerSecond(() => opened(asked.way, asked.port, far.short)) };
    case 'latency':
      return firstByteMs(() => opened(asked.way, asked.port, far.short));
    case 'requests':
      return { value: await requestsMs(asked.port, asked.far, asked.keepAlive) };
    case 'hold':
      return { value: await hold(() => opened(asked.way, asked.port, far.short), asked.count) };
    case 'let go':
      await Promise.all(held.splice(0).map((socket) => socket.closed || once(socket.destroy(), 'close')));
      return { value: 0 };
  }
}

/** GB a second. */
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

/** From the wish to connect to the first byte of the far side, one after the other: median and 95th percentile. */
async function firstByteMs(open: () => Promise<Socket>): Promise<{ value: number; p95: number }> {
  const times: number[] = [];
  for (let at = 0; at < LATENCIES; at++) {
    const began = performance.now();
    const socket = await open();
    socket.write('x');
    socket.resume();
    await once(socket, 'data');
    times.push(performance.now() - began);
    socket.destroy();
  }
  times.sort((a, b) => a - b);
  return { value: times[times.length >> 1] ?? 0, p95: times[Math.floor(times.length * 0.95)] ?? 0 };
}

/** Opens tunnels, lets a byte go each way through every one, and leaves them idle. */
async function hold(open: () => Promise<Socket>, count: number): Promise<number> {
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      const socket = await open();
      held.push(socket);
      socket.write('x');
      socket.resume();
      await Promise.race([once(socket, 'data'), once(socket, 'close')]);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return held.filter((socket) => !socket.destroyed).length;
}

/** Straight to the origin when it listens on `port` itself. */
async function requestsMs(port: number, far: number, keepAlive: boolean): Promise<number> {
  const agent = new Agent({ keepAlive, maxSockets: PARALLEL });
  const asked = port === far ? { path: '/' } : { path: `http://b.test:${far}/`, headers: { host: `b.test:${far}` } };
  const began = performance.now();
  let left = REQUESTS;
  const worker = async () => {
    while (left-- > 0) {
      const outgoing = request({ port, host: '127.0.0.1', agent, ...asked }).end();
      const [response] = await once(outgoing, 'response');
      if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
      await once(response.resume(), 'end');
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  agent.destroy();
  return performance.now() - began;
}

/** A socket that is connected with `far` by this way. */
async function opened(way: Way, port: number, far: number): Promise<Socket> {
  const socket = connect({
    ...{ port: way === 'direct' ? far : port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true },
  });
  await once(socket, 'connect');
  // What waits for the socket hears of its end.
  socket.on('error', () => socket.destroy());
  if (way === 'relay') await say(socket, `${far}\n`, '+');
  else if (way === 'socks') await socksTo(socket, far);
  else if (way !== 'direct' && way !== 'transparent') {
    // Other proxies have a resolver of their own.
    const authority = `${way === 'connect' ? 'b.test' : '127.0.0.1'}:${far}`;
    await say(socket, `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`, '\r\n\r\n', 'HTTP/1.');
  }
  return socket;
}

/** SOCKS5 without authentication, by name (RFC 1928). */
async function socksTo(socket: Socket, far: number): Promise<void> {
  await say(socket, Buffer.from([5, 1, 0]), '\x05\x00');
  const name = Buffer.from('b.test');
  const asked = Buffer.from([5, 1, 0, 3, name.length, ...name, far >> 8, far & 255]);
  await say(socket, asked, '', '\x05\x00');
}

async function say(socket: Socket, hello: string | Uint8Array, end: string, start = ''): Promise<void> {
  socket.write(hello);
  const answer = await new Promise<string>((resolve, reject) => {
    socket.once('close', () => reject(new Error('closed')));
    socket.once('data', (chunk) => resolve(chunk.toString('latin1'))).resume();
  });
  socket.pause();
  if (!answer.startsWith(start) || !answer.endsWith(end)) {
    socket.destroy();
    throw new Error(JSON.stringify(answer));
  }
}
