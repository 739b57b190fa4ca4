import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../src/adapters/proxy/egress-event.ts';
import { closingAfterEach, exchange, get, openTunnel, type Rig, readAll } from './egress-rig.ts';

const { rigWith, echo, origin } = closingAfterEach();
const PATIENT = { timeout: 20_000 };

/** From now on every connection is announced as this one. */
function announce(rig: Rig, connection: Partial<Connection>): void {
  const announced: Connection = { run: 'greedy', pid: 7, program: '/bin/agent', kind: 'proxy', ...connection };
  rig.announced = { get: () => announced } as never;
}

/** A port where the kernel leaves connections without an answer, since nobody takes those that are there. It prints the port. */
function fullListener() {
  const script = `
import socket, time
server = socket.create_server(('127.0.0.1', 0), backlog=0)
held = [socket.socket() for _ in range(4)]
for one in held:
    one.setblocking(False)
    one.connect_ex(server.getsockname())
print(server.getsockname()[1], flush=True)
time.sleep(60)
`;
  const child = spawn('python3', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  return { stdout: child.stdout, kill: () => child.kill() };
}

describe('a run at its bound', () => {
  it('has no more connections on their way than requests, also for those that it gave up', async () => {
    const rig = await rigWith(undefined, { requestsPerRun: 2, dialMs: 60_000 });
    const { stdout, kill } = fullListener();
    const [chunk] = await once(stdout, 'data');
    const port = Number(String(chunk));
    try {
      announce(rig, { run: 'greedy' });
      for (const name of ['a.test', 'b.test']) {
        const client = connect(rig.proxyPort, '127.0.0.1');
        client.write(get(`http://${name}:${port}/`));
        await expect.poll(() => rig.decisions().at(-1)?.host).toBe(name);
        client.destroy();
        await expect.poll(() => rig.events.at(-1)).toMatchObject({ kind: 'closed', host: name });
      }
      expect(await exchange(rig.proxyPort, get(`http://c.test:${port}/`))).toMatch(/^HTTP\/1\.1 502 /);

      announce(rig, { run: 'other' });
      const { port: open } = await origin((_request, response) => response.end('still served'));
      expect(await exchange(rig.proxyPort, get(`http://c.test:${open}/`))).toMatch(/still served$/);
    } finally {
      kill();
    }
  });

  it('has the places back of requests that waited behind another when their client left, each with its end on record', async () => {
    const rig = await rigWith(undefined, { requestsPerRun: 2 });
    const { port } = await origin(({ url }, response) => void (url === '/' && response.end('fine')));
    const client = connect(rig.proxyPort, '127.0.0.1');
    const silent = `GET http://a.test:${port}/silent HTTP/1.1\r\nHost: a.test:${port}\r\n\r\n`;
    client.write(silent.repeat(2));
    await expect.poll(() => rig.decisions().length).toBe(2);
    client.destroy();
    await expect.poll(() => rig.events.filter(({ kind }) => kind === 'closed').length).toBe(2);
    // Connections that were begun for those requests count until they are there.
    await expect.poll(() => exchange(rig.proxyPort, get(`http://a.test:${port}/`))).toMatch(/fine$/);
  });

  it('is refused what it asks for beyond it, on record, while another run goes on', async () => {
    const rig = await rigWith(undefined, { sockets: 8 });
    const { port } = await echo();
    announce(rig, { run: 'greedy' });
    const held: Socket[] = [];
    await expect(
      (async () => {
        for (;;) held.push(await openTunnel(rig.proxyPort, `a.test:${port}`));
      })(),
    ).rejects.toThrow(/HTTP\/1\.1 503/);
    expect(held).toHaveLength(6);
    const refusal = { run: 'greedy', verdict: 'deny', source: 'internal', reason: 'resources' };
    const at = { host: null, address: '127.0.0.1', port: rig.proxyPort };
    expect(rig.decisions().at(-1)).toMatchObject({ ...refusal, ...at, via: 'http' });

    announce(rig, { run: 'other' });
    const tunnel = await openTunnel(rig.proxyPort, `b.test:${port}`);
    tunnel.end('still served');
    expect(await readAll(tunnel)).toBe('still served');
    for (const socket of held) socket.destroy();
  });

  it('is reset by the transparent listener, with a receipt for what it wanted', async () => {
    const rig = await rigWith(undefined, { socketsPerRun: 1 });
    const { port } = await echo();
    announce(rig, { kind: 'transparent', address: '127.0.0.1', port });
    const first = connect(rig.transparentPort, '127.0.0.1').on('error', () => undefined);
    first.write('x');
    await once(first, 'data');
    await expect(readAll(connect(rig.transparentPort, '127.0.0.1'))).rejects.toMatchObject({ code: 'ECONNRESET' });
    const wanted = { address: '127.0.0.1', port, via: 'transparent' };
    expect(rig.decisions().at(-1)).toMatchObject({ ...wanted, verdict: 'deny', reason: 'resources' });
    first.destroy();
  });
});

it('2,000 tunnels that are opened and reset leave no descriptor and no memory behind', async () => {
  const rig = await rigWith();
  const { port } = await echo();
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const openAndReset = async (count: number): Promise<void> => {
    let left = count;
    const worker = async () => {
      while (left-- > 0) {
        const tunnel = await openTunnel(rig.proxyPort, `a.test:${port}`);
        tunnel.removeAllListeners('error').on('error', () => undefined);
        tunnel.write('x');
        tunnel.resume();
        await once(tunnel, 'data');
        tunnel.resetAndDestroy();
      }
    };
    await Promise.all(Array.from({ length: 20 }, worker));
    await expect.poll(() => rig.events.filter(({ kind }) => kind === 'closed').length, PATIENT).toBe(count);
    rig.events.length = 0;
  };
  const descriptors = () => readdirSync('/proc/self/fd').length;
  const heap = () => {
    for (let round = 0; round < 3; round++) collect();
    return process.memoryUsage().heapUsed;
  };
  // The first ones compile, and fill what all share.
  await openAndReset(300);
  const before = { descriptors: descriptors(), heap: heap() };
  await openAndReset(2000);
  await expect.poll(descriptors, PATIENT).toBeLessThanOrEqual(before.descriptors + 4);
  // A tunnel that stayed would hold more than 5 KiB.
  await expect.poll(() => heap() - before.heap, { ...PATIENT, interval: 200 }).toBeLessThan(4 * 1024 * 1024);
});
