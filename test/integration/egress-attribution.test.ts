import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { closingAfterEach, exchange, freePort, openTunnel, readAll } from './egress-rig.ts';

const { echo, rigWith } = closingAfterEach();

describe('the transparent listener', () => {
  it('relays to the announced address, v4 and v6, and records the literal address', async () => {
    const rig = await rigWith();
    const server = await echo();
    rig.announced = new Map();
    for (const [family, host] of [
      [4, '127.0.0.1'],
      [6, '::1'],
    ] as const) {
      const localPort = await freePort(host);
      const target = { address: '127.0.0.1', port: server.port };
      rig.announced.set(`${family}:${localPort}`, { run: 'r2', pid: 9, program: '/p', kind: 'transparent', ...target });
      const socket = connect({ host, port: rig.transparentPort, localPort, localAddress: host, allowHalfOpen: true });
      socket.end('raw');
      expect(await readAll(socket)).toBe('raw');
    }
    expect(rig.decisions()).toMatchObject([
      { run: 'r2', pid: 9, host: null, address: '127.0.0.1', via: 'transparent', verdict: 'allow' },
      { via: 'transparent' },
    ]);
  });

  it.each([
    ['10.1.2.3', 'special-address', 443],
    ['198.18.0.7', 'synthetic-address', 443],
    ['169.254.169.254', 'special-address', 80],
  ])('resets a connection to %s with a receipt (%s)', async (address, reason, port) => {
    const rig = await rigWith({ names: ['*'], ranges: [], defaultAllow: true });
    rig.announced = new Map();
    const localPort = await freePort();
    rig.announced.set(`4:${localPort}`, { run: 'r2', pid: 9, program: '/p', kind: 'transparent', address, port });
    const socket = connect({ host: '127.0.0.1', port: rig.transparentPort, localPort });
    await expect(readAll(socket)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(rig.decisions()).toMatchObject([{ address, port, verdict: 'deny', reason }]);
  });
});

describe('attribution', () => {
  it('turns away what no supervisor announced', async () => {
    const rig = await rigWith();
    rig.announced = new Map();
    expect(await exchange(rig.proxyPort, 'GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 407 /,
    );
    const stranger = connect({ host: '127.0.0.1', port: rig.transparentPort });
    await expect(readAll(stranger)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(rig.events).toEqual([]);
  });

  it('turns away a connection that was announced for the other listener', async () => {
    const rig = await rigWith();
    rig.announced = new Map();
    const localPort = await freePort();
    rig.announced.set(`4:${localPort}`, {
      run: 'r',
      pid: 1,
      program: '/p',
      kind: 'transparent',
      address: '127.0.0.1',
      port: 80,
    });
    const request = 'GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n';
    expect(await exchange(rig.proxyPort, request, undefined, localPort)).toMatch(/^HTTP\/1\.1 407 /);
  });

  it('waits no longer than the limit for an announcement', async () => {
    const rig = await rigWith(undefined, { attributionMs: 50 });
    rig.announced = { get: () => new Promise(() => undefined) } as never;
    const answer = await exchange(rig.proxyPort, 'CONNECT a.test:443 HTTP/1.1\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 407 /);
  });

  it('bounds the sockets of one run', async () => {
    const rig = await rigWith(undefined, { socketsPerRun: 2 });
    const server = await echo();
    const first = await openTunnel(rig.proxyPort, `a.test:${server.port}`);
    const second = await openTunnel(rig.proxyPort, `a.test:${server.port}`);
    await expect(openTunnel(rig.proxyPort, `a.test:${server.port}`)).rejects.toThrow(/HTTP\/1\.1 503/);
    first.destroy();
    await expect
      .poll(() =>
        openTunnel(rig.proxyPort, `a.test:${server.port}`).then(
          () => 'open',
          () => 'refused',
        ),
      )
      .toBe('open');
    second.destroy();
  });
});
