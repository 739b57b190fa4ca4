import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { closingAfterEach, openTunnel, readAll } from './egress-rig.ts';

const { rigWith, tcp } = closingAfterEach();

describe('a tunnel', () => {
  it('carries 100 MB byte for byte to a slow reader', async () => {
    const rig = await rigWith();
    const chunk = randomBytes(1024 * 1024);
    const total = 100;
    const sent = createHash('sha256');
    const server = await tcp((socket) => {
      let left = total;
      const more = () => {
        while (left > 0) {
          left--;
          sent.update(chunk);
          if (!socket.write(chunk)) return void socket.once('drain', more);
        }
        socket.end();
      };
      more();
    });
    const tunnel = await openTunnel(rig.proxyPort, `big.test:${server.port}`);
    const received = createHash('sha256');
    let bytes = 0;
    let sinceNap = 0;
    for await (const part of tunnel as AsyncIterable<Buffer>) {
      received.update(part);
      bytes += part.length;
      sinceNap += part.length;
      if (sinceNap > 8 * 1024 * 1024) {
        sinceNap = 0;
        await new Promise((wake) => setTimeout(wake, 20));
      }
    }
    expect(bytes).toBe(total * chunk.length);
    expect(received.digest('hex')).toBe(sent.digest('hex'));
  });

  it('holds back a sender whose receiver does not read, in both directions', async () => {
    const rig = await rigWith();
    const block = Buffer.alloc(256 * 1024);
    const accepted = { down: 0, up: 0 };
    const flood = (socket: Socket, way: 'down' | 'up') => {
      const more = () => {
        while (accepted[way] < 1024 * 1024 * 1024 && socket.write(block)) accepted[way] += block.length;
      };
      socket.on('drain', more);
      more();
    };
    const server = await tcp((socket) => {
      socket.pause();
      flood(socket, 'down');
    });
    const tunnel = await openTunnel(rig.proxyPort, `stall.test:${server.port}`);
    flood(tunnel, 'up');
    const settled = async () => {
      const before = accepted.down + accepted.up;
      await new Promise((wake) => setTimeout(wake, 300));
      return accepted.down + accepted.up === before;
    };
    await expect.poll(settled, { timeout: 10_000 }).toBe(true);
    // What is left is in the buffers of the kernel's four sockets.
    expect(accepted.down).toBeLessThan(32 * 1024 * 1024);
    expect(accepted.up).toBeLessThan(32 * 1024 * 1024);
    tunnel.removeAllListeners('error').on('error', () => undefined);
    tunnel.destroy();
  });

  it('carries many tunnels at once without mixing their bytes', async () => {
    const rig = await rigWith();
    const server = await tcp((socket) => {
      socket.once('data', (seed) => {
        const block = Buffer.alloc(300_000, seed);
        for (let n = 0; n < 20; n++) socket.write(block);
        socket.end();
      });
    });
    await Promise.all(
      Array.from({ length: 24 }, async (_none, at) => {
        const tunnel = await openTunnel(rig.proxyPort, `many.test:${server.port}`);
        const mark = 65 + at;
        tunnel.write(Buffer.from([mark]));
        let bytes = 0;
        for await (const part of tunnel as AsyncIterable<Buffer>) {
          bytes += part.length;
          expect(part.every((byte) => byte === mark)).toBe(true);
          if (at % 3 === 0) await new Promise((wake) => setTimeout(wake, 1));
        }
        expect(bytes).toBe(6_000_000);
      }),
    );
  });

  it('uploads 50 MB to a server that reads slowly', async () => {
    const rig = await rigWith();
    const data = randomBytes(50 * 1024 * 1024);
    const server = await tcp((socket) => {
      const hash = createHash('sha256');
      let parts = 0;
      socket.on('data', (part) => {
        hash.update(part);
        if (++parts % 50 !== 0) return;
        socket.pause();
        setTimeout(() => socket.resume(), 5);
      });
      socket.once('end', () => socket.end(hash.digest('hex')));
    });
    const tunnel = await openTunnel(rig.proxyPort, `up.test:${server.port}`);
    tunnel.end(data);
    expect(await readAll(tunnel)).toBe(createHash('sha256').update(data).digest('hex'));
  });

  it('passes an end in each direction on alone', async () => {
    const rig = await rigWith();
    const server = await tcp((socket) => {
      socket.resume().once('end', () => setTimeout(() => socket.end('after your end'), 30));
    });
    const up = await openTunnel(rig.proxyPort, `half.test:${server.port}`);
    up.end('done');
    expect(await readAll(up)).toBe('after your end');

    let late = '';
    const talker = await tcp((socket) => {
      socket.end('bye');
      socket.on('data', (chunk) => {
        late += chunk;
      });
    });
    const down = await openTunnel(rig.proxyPort, `half.test:${talker.port}`);
    expect(await readAll(down)).toBe('bye');
    down.end('still here');
    await expect.poll(() => late).toBe('still here');
  });

  it('resets the client when the server fails', async () => {
    const rig = await rigWith();
    const server = await tcp((socket) => {
      socket.write('half of');
      setTimeout(() => socket.resetAndDestroy(), 30);
    });
    const tunnel = await openTunnel(rig.proxyPort, `reset.test:${server.port}`);
    tunnel.removeAllListeners('error');
    await expect(readAll(tunnel)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});
