import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { helloFor } from '../support/client-hello.ts';
import { askSocks, SOCKS_GREETING, socksConnect } from '../support/socks.ts';
import { closingAfterEach, exchange, LOOPBACK_ALLOWED, readAll } from './egress-rig.ts';

const { echo, origin, rigWith, tcp } = closingAfterEach();
const run = promisify(execFile);

const ask = (host: string | Uint8Array, port: number) => Buffer.concat([SOCKS_GREETING, socksConnect(host, port)]);

describe('SOCKS 5 on the port of the proxy', () => {
  it('relays to an allowed name, after its receipt', async () => {
    const rig = await rigWith();
    const server = await echo();
    const { code, socket } = await askSocks(rig.proxyPort, ask('Good.test', server.port));
    expect(code).toBe(0);
    const receipt = { host: 'good.test', address: '127.0.0.1', via: 'socks', known: 'socks', verdict: 'allow' };
    expect(rig.decisions()).toMatchObject([receipt]);
    socket.end('hello');
    expect(await readAll(socket)).toBe('hello');
    await expect
      .poll(() => rig.events.at(-1))
      .toMatchObject({ kind: 'closed', via: 'socks', bytesUp: 5, bytesDown: 5 });
  });

  it('takes everything in one packet or every byte alone, and keeps what comes with the request', async () => {
    const rig = await rigWith();
    const server = await echo();
    const all = Buffer.concat([ask('good.test', server.port), Buffer.from('early')]);
    const { code, socket } = await askSocks(rig.proxyPort, all);
    expect(code).toBe(0);
    socket.end();
    expect(await readAll(socket)).toBe('early');
    const slow = connect({ port: rig.proxyPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    for (const byte of all) {
      slow.write(Uint8Array.of(byte));
      await new Promise((turn) => setImmediate(turn));
    }
    slow.end();
    expect(await readAll(slow)).toMatch(/early$/);
  });

  it('passes an end in each direction on alone', async () => {
    const rig = await rigWith();
    const server = await tcp((socket) => socket.resume().once('end', () => socket.end('after your end')));
    const { socket } = await askSocks(rig.proxyPort, ask('half.test', server.port));
    socket.end('done');
    expect(await readAll(socket)).toBe('after your end');
  });

  it('decides as every door does, and says which kind of no it is', async () => {
    const rig = await rigWith({ names: ['good.test', 'nowhere.test', 'inside.test'], ranges: ['127.0.0.'] });
    rig.addresses = { 'nowhere.test': [], 'inside.test': ['10.0.0.1'] };
    const codes = async (host: string, port: number) => (await askSocks(rig.proxyPort, ask(host, port))).code;
    expect(await codes('evil.test', 80)).toBe(2);
    expect(rig.lookups).toEqual([]);
    expect(await codes('inside.test', 80)).toBe(2);
    expect(await codes('127.0.0.1', rig.proxyPort)).toBe(2);
    expect(await codes('nowhere.test', 80)).toBe(4);
    expect(await codes('good.test', 9)).toBe(4);
    expect(rig.decisions().map(({ verdict, reason }) => `${verdict} ${reason}`)).toEqual([
      'deny no-rule',
      'deny special-address',
      'deny own-port',
      'allow unresolved',
      'allow null',
    ]);
    rig.recordFails = true;
    expect(await codes('good.test', 80)).toBe(1);
  });

  it('has the same terms for what its tunnels carry', async () => {
    const rig = await rigWith({ ...LOOPBACK_ALLOWED, terms: { sni: 'required' } });
    const server = await echo();
    const hello = helloFor('good.test');
    const good = await askSocks(rig.proxyPort, ask('good.test', server.port));
    good.socket.end(hello);
    expect(await readAll(good.socket)).toBe(hello.toString('latin1'));
    const evil = await askSocks(rig.proxyPort, ask('good.test', server.port));
    evil.socket.write(helloFor('evil.test'));
    await expect(readAll(evil.socket)).rejects.toMatchObject({ code: 'ECONNRESET' });
    const early = await askSocks(rig.proxyPort, Buffer.concat([ask('good.test', server.port), helloFor('evil.test')]));
    expect(early.code).toBe(2);
    expect(rig.decisions().map(({ reason }) => reason)).toEqual([null, null, 'sni-mismatch', null, 'sni-mismatch']);
  });

  it.each([
    ['a method that it does not have', Buffer.of(5, 1, 2), Buffer.of(5, 0xff)],
    ['no method', Buffer.of(5, 0), Buffer.of(5, 0xff)],
    ['SOCKS 4', Buffer.from('04010050cb00710100', 'hex'), Buffer.from('005b000000000000', 'hex')],
    ['SOCKS 4a', Buffer.from('0401005000000001006576696c2e7465737400', 'hex'), Buffer.from('005b000000000000', 'hex')],
    ['BIND', Buffer.concat([SOCKS_GREETING, Buffer.of(5, 2, 0, 1)]), Buffer.of(5, 0, 5, 7, 0, 1, 0, 0, 0, 0, 0, 0)],
    ['UDP', Buffer.concat([SOCKS_GREETING, Buffer.of(5, 3, 0, 1)]), Buffer.of(5, 0, 5, 7, 0, 1, 0, 0, 0, 0, 0, 0)],
  ])('refuses %s and ends', async (_name, bytes, answer) => {
    const rig = await rigWith();
    expect(Buffer.from(await exchange(rig.proxyPort, bytes), 'latin1')).toEqual(answer);
    expect(rig.events).toEqual([]);
  });

  it('turns away what no supervisor announced', async () => {
    const rig = await rigWith();
    rig.announced = new Map();
    expect((await askSocks(rig.proxyPort, ask('good.test', 80))).code).not.toBe(0);
    expect(rig.events).toEqual([]);
  });

  it('hangs up on a client that says nothing, or not enough', async () => {
    const rig = await rigWith(undefined, { headersMs: 50 });
    for (const bytes of [Buffer.alloc(0), Buffer.of(5), ask('good.test', 80).subarray(0, -1)]) {
      const socket = connect({ port: rig.proxyPort, host: '127.0.0.1' }).on('error', () => undefined);
      socket.write(bytes);
      await new Promise<void>((resolve) => socket.resume().once('close', () => resolve()));
    }
    expect(rig.events).toEqual([]);
  });

  it('outlives clients that leave at any point', async () => {
    const rig = await rigWith();
    const server = await echo();
    const all = Buffer.concat([ask('good.test', server.port), Buffer.from('x')]);
    for (let length = 0; length <= all.length; length++) {
      const socket = connect({ port: rig.proxyPort, host: '127.0.0.1' }).on('error', () => undefined);
      await new Promise<void>((resolve) => socket.write(all.subarray(0, length), () => resolve()));
      if (length % 2) socket.end();
      else socket.resetAndDestroy();
    }
    expect((await askSocks(rig.proxyPort, ask('good.test', server.port))).code).toBe(0);
  });

  it('serves curl by name and by address', async () => {
    const rig = await rigWith({ names: ['good.test'], ranges: ['127.0.0.'] });
    const server = await origin((_request, response) => response.end('fine'));
    const curl = (kind: string, host: string) =>
      run('curl', ['-sS', kind, `127.0.0.1:${rig.proxyPort}`, `http://${host}:${server.port}/`]);
    expect((await curl('--socks5-hostname', 'good.test')).stdout).toBe('fine');
    expect((await curl('--socks5', '127.0.0.1')).stdout).toBe('fine');
    await expect(curl('--socks5-hostname', 'evil.test')).rejects.toMatchObject({ code: 97 });
    await expect(curl('--socks4', '127.0.0.1')).rejects.toMatchObject({ code: 97 });
    const env = { ...process.env, ALL_PROXY: `socks5h://127.0.0.1:${rig.proxyPort}` };
    expect((await run('curl', ['-sS', `http://good.test:${server.port}/`], { env })).stdout).toBe('fine');
  });
});
