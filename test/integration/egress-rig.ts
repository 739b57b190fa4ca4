import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import { type Egress, startEgressWith } from '../../src/adapters/proxy/egress.ts';
import type { Connection, EgressDecision, EgressEvent } from '../../src/adapters/proxy/egress-event.ts';
import type { TermsOf } from '../../src/adapters/proxy/gate.ts';
import type { InspectTunnel } from '../../src/adapters/proxy/inspect-tunnel.ts';
import type { Limits } from '../../src/adapters/proxy/limits.ts';
import type { RunNames } from '../../src/adapters/proxy/names.ts';
import { type Address, parseAddress } from '../../src/core/egress/address.ts';
import { classOf } from '../../src/core/egress/address-class.ts';
import { type EgressTerms, usualTerms } from '../../src/core/egress/terms.ts';
import type { HostVerdict } from '../../src/core/engine/egress-word.ts';

/** A policy small enough to be checked by eye: names that are allowed, address prefixes (of 4 or 16 bytes) that are named by a rule. */
export type TestImage = {
  names: string[];
  ranges: string[];
  denied?: string[];
  defaultAllow?: boolean;
  /** Of everything, or of what they are asked for; else the usual ones. */
  terms?: Partial<EgressTerms> | TermsOf<TestImage>;
};
export const LOOPBACK_ALLOWED: TestImage = { names: ['*'], ranges: ['127.0.0.', '::1'] };

export type Rig = Egress & {
  events: EgressEvent<TestImage>[];
  decisions(): EgressDecision<TestImage>[];
  lookups: string[];
  image: TestImage;
  simulate: boolean;
  recordFails: boolean;
  /** Announces the source port; without it every connection is of run r1. */
  announced: Map<string, Connection> | undefined;
  addresses: Record<string, string[] | (() => string[])>;
  inspect: InspectTunnel<TestImage> | undefined;
};

export async function startRig(
  image: TestImage = LOOPBACK_ALLOWED,
  limits: Partial<Limits> = {},
  names?: RunNames,
): Promise<Rig> {
  const rig = {
    events: [],
    lookups: [],
    image,
    simulate: false,
    recordFails: false,
    announced: undefined,
    addresses: {},
    inspect: undefined,
  } as unknown as Rig;
  const egress = await startEgressWith<TestImage>({
    connection: async (family, port) =>
      rig.announced
        ? rig.announced.get(`${family}:${port}`)
        : { run: 'r1', pid: 7, program: '/bin/agent', kind: 'proxy' },
    policyOf: () => ({ image: rig.image, simulate: rig.simulate }),
    decide,
    termsOf: (image, target) =>
      typeof image.terms === 'function' ? image.terms(image, target) : { ...usualTerms(target.port), ...image.terms },
    inspect: async (tunnel) => rig.inspect?.(tunnel),
    mayReach: (image, name) =>
      !image.denied?.includes(name) &&
      (image.names.some((one) => one === '*' || one === name) || image.defaultAllow === true),
    ...(names && { names }),
    searchDomainsOf: () => ['corp.test'],
    describeRule: (_image, rule) => ({ label: `test.yaml:${rule}`, reason: null }),
    record: async (event) => {
      if (rig.recordFails) throw new Error('disk full');
      rig.events.push(event);
    },
    resolve: async (name) => {
      rig.lookups.push(name);
      const found = rig.addresses[name] ?? ['127.0.0.1'];
      return typeof found === 'function' ? found() : found;
    },
    limits,
  });
  rig.decisions = () => rig.events.filter((event) => event.kind === 'decision');
  return Object.assign(rig, egress);
}

function decide(image: TestImage, { name, address }: { name?: string; address?: Address; port: number }): HostVerdict {
  const rule = (effect: 'allow' | 'deny', at: number): HostVerdict => ({
    effect,
    source: 'rule',
    rule: at,
    pierced: null,
  });
  const inRange = (prefix: string) => address !== undefined && prefixed(address, prefix);
  if (name && image.denied?.includes(name)) return rule('deny', 3);
  if (address && image.denied?.some(inRange)) return rule('deny', 4);
  if (image.ranges.some(inRange)) return rule('allow', 1);
  const special = address !== undefined && classOf(address) !== 'public';
  if (name && (image.names.includes(name) || image.names.includes('*'))) return rule('allow', 2);
  if (!name && !special && image.names.includes('*')) return rule('allow', 2);
  return { effect: image.defaultAllow ? 'allow' : 'deny', source: 'default', rule: null, pierced: null };
}

function prefixed(address: Address, prefix: string): boolean {
  const whole = prefix.endsWith('.') ? parseAddress(`${prefix}0`) : parseAddress(prefix);
  const length = prefix.endsWith('.') ? 15 : 16;
  return whole?.subarray(0, length).every((byte, at) => byte === address[at]) ?? false;
}

/** An HTTP server on loopback that keeps what it was sent. */
export async function startOrigin(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const requests: Array<{ method: string; url: string; headers: IncomingMessage['headers']; raw: string[] }> = [];
  const server = createHttpServer((request, response) => {
    const { method = '', url = '', headers, rawHeaders } = request;
    requests.push({ method, url, headers, raw: rawHeaders });
    answer(request, response);
  });
  const port = await listening(server);
  return { server, port, requests, close: () => closed(server) };
}

export async function startTcp(serve: (socket: Socket) => void, host = '127.0.0.1') {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  const port = await listening(server, host);
  const close = () => {
    for (const socket of sockets) socket.destroy();
    return closed(server);
  };
  return { server, port, close };
}

export function listening(server: Server, host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve) => server.listen(0, host, () => resolve((server.address() as AddressInfo).port)));
}

export function closed(server: Server): Promise<void> {
  if ('closeAllConnections' in server) (server as { closeAllConnections(): void }).closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Sends bytes and returns everything that comes back until the end, or until `until` matches. */
export function exchange(port: number, bytes: string | Buffer, until?: RegExp, localPort?: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, ...(localPort && { localPort }) });
    let text = '';
    const done = () => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(10_000, () => reject(new Error(`no end after: ${text}`)));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (until?.test(text)) done();
    });
    socket.once('end', done);
    socket.once('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? done() : reject(error)));
    socket.once('connect', () => socket.write(bytes));
  });
}

/** A CONNECT tunnel, ready for bytes. */
export function openTunnel(proxyPort: number, authority: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: proxyPort, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', reject);
    let head = '';
    const onData = (chunk: Buffer) => {
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.off('data', onData);
      socket.pause();
      if (!head.startsWith('HTTP/1.1 200')) return reject(new Error(head));
      const rest = Buffer.from(head.slice(end + 4), 'latin1');
      if (rest.length > 0) socket.unshift(rest);
      resolve(socket);
    };
    socket.on('data', onData);
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  });
}

/** A source port that is free now. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  const port = await listening(server, host);
  await closed(server);
  return port;
}

/** For a test file: what its tests started is closed after each of them, the last first. */
export function closingAfterEach() {
  const open: Array<() => Promise<void> | void> = [];
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
  });
  const kept = async <Started extends { close(): Promise<void> }>(starting: Promise<Started>): Promise<Started> => {
    const started = await starting;
    open.push(() => started.close());
    return started;
  };
  return {
    open,
    rigWith: (...args: Parameters<typeof startRig>) => kept(startRig(...args)),
    origin: (...args: Parameters<typeof startOrigin>) => kept(startOrigin(...args)),
    tcp: (...args: Parameters<typeof startTcp>) => kept(startTcp(...args)),
    echo: () => kept(startTcp((socket) => socket.pipe(socket))),
  };
}

/** Everything the socket sends until it ends its direction; the other one stays as it is. */
export async function readAll(socket: Socket): Promise<string> {
  let all = '';
  // The plain iterator would destroy the socket at the end, and with it the other direction.
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) all += chunk.toString('latin1');
  return all;
}

export const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));

/** A GET in absolute form; the Host header is the URL's. */
export const get = (url: string, ...headers: string[]) =>
  [`GET ${url} HTTP/1.1`, `Host: ${url.split('/')[2]}`, ...headers, 'Connection: close', '', ''].join('\r\n');
