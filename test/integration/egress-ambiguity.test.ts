import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { closingAfterEach, exchange, get, readAll } from './egress-rig.ts';

const { origin, rigWith, tcp } = closingAfterEach();

const port = 9;
const AMBIGUOUS: ReadonlyArray<readonly [string, string]> = [
  ['another Host', `GET http://a.test:${port}/ HTTP/1.1\r\nHost: b.test:${port}\r\n\r\n`],
  ['another port in Host', `GET http://a.test:${port}/ HTTP/1.1\r\nHost: a.test:80\r\n\r\n`],
  ['two Host headers', `GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nHost: a.test\r\n\r\n`],
  ['no Host header', `GET http://a.test/ HTTP/1.1\r\n\r\n`],
  [
    'length and chunked',
    `POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ['two lengths', `POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody`],
  ['a length with a sign', `POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: +4\r\n\r\nbody`],
  [
    'an unknown encoding',
    `POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  ],
  [
    'chunked that is not last',
    `POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
  ],
  [
    'a space before the colon',
    `POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
  ],
  ['a bare carriage return', `GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nX: a\rb: c\r\n\r\n`],
  ['a NUL in a header', `GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nX: a\0b\r\n\r\n`],
  ['a GET with a body', `GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc`],
  ['a user name', `GET http://good@a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n`],
  ['a backslash', `GET http://a.test\\@b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n`],
  ['a fragment', `GET http://a.test/#x HTTP/1.1\r\nHost: a.test\r\n\r\n`],
  ['an escaped dot', `GET http://a%2etest/ HTTP/1.1\r\nHost: a.test\r\n\r\n`],
  ['a host of nothing', `GET http:///x HTTP/1.1\r\nHost: a.test\r\n\r\n`],
  ['one slash', `GET http:/a.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n`],
  ['TLS without CONNECT', `GET https://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n`],
  ['another scheme', `GET ftp://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n`],
  ['a path alone', `GET / HTTP/1.1\r\nHost: a.test\r\n\r\n`],
  ['an asterisk', `OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n`],
  ['a folded header', `GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n b.test\r\n\r\n`],
  ['HTTP/2 without being asked', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['an old version', 'GET http://a.test/\r\n\r\n'],
];

describe('requests that can be read in two ways', () => {
  it.each(AMBIGUOUS)('%s is refused', async (_name, request) => {
    const rig = await rigWith();
    expect(await exchange(rig.proxyPort, request)).toMatch(/^HTTP\/1\.1 400 /);
    expect(rig.lookups).toEqual([]);
    expect(rig.decisions()).toEqual([]);
  });

  it.each(AMBIGUOUS)(
    "%s ends a connection on which all was well, and what follows it is nobody's request",
    async (_name, request) => {
      const rig = await rigWith();
      const server = await origin((_request, response) => response.end('ok'));
      const kept = (path: string) =>
        `GET http://a.test:${server.port}${path} HTTP/1.1\r\nHost: a.test:${server.port}\r\n\r\n`;
      const ask = (last: string) => {
        // The parser's own refusals overtake answers that are under way.
        const socket = connect({ port: rig.proxyPort, host: '127.0.0.1' });
        socket.write(kept('/first'));
        socket.once('data', () => socket.write(`${request}${last}`));
        return readAll(socket).catch(() => '');
      };
      for (const last of [
        kept('/smuggled'),
        `CONNECT a.test:${server.port} HTTP/1.1\r\nHost: a.test\r\n\r\n${kept('/smuggled')}`,
      ]) {
        expect(await ask(last)).not.toMatch(/^HTTP\/1\.1 200[\s\S]*^HTTP\/1\.1 200/m);
        expect(server.requests.map(({ url }) => url)).toEqual(['/first']);
        server.requests.length = 0;
      }
    },
  );

  it.each(['/a/../b', '/%2e%2e/b', '/a%2F..%2Fb', '//b.test/x', '/%zz'])(
    'the path %s reaches no origin',
    async (path) => {
      const rig = await rigWith();
      const server = await origin((_request, response) => response.end('reached'));
      const answer = await exchange(rig.proxyPort, get(`http://a.test:${server.port}${path}`));
      expect(answer).toMatch(/^HTTP\/1\.1 400/);
      expect(server.requests).toEqual([]);
    },
  );

  it('lines that end in a bare LF never become a second request', async () => {
    const rig = await rigWith();
    const server = await origin((_request, response) => response.end('ok'));
    const smuggled = `GET http://a.test:${server.port}/1 HTTP/1.1\nHost: a.test:${server.port}\nX: 1\n\nGET http://a.test:${server.port}/2 HTTP/1.1\nHost: b.test\n\n`;
    const answer = await exchange(rig.proxyPort, smuggled);
    expect(server.requests.map(({ url }) => url)).not.toContain('/2');
    expect(answer).toMatch(/HTTP\/1\.1 400/);
  });

  it.each(['TRACE', 'UNSUBSCRIBE'])('%s is not passed on', async (method) => {
    const rig = await rigWith();
    const server = await origin((_request, response) => response.end('reached'));
    const answer = await exchange(rig.proxyPort, get(`http://a.test:${server.port}/`).replace('GET', method));
    expect(answer).toMatch(/^HTTP\/1\.1 501/);
    expect(server.requests).toEqual([]);
  });
});

describe('a client that wants to hurt', () => {
  it('gets 431 for headers that are too large', async () => {
    const rig = await rigWith();
    const answer = await exchange(rig.proxyPort, get('http://a.test/', `X: ${'a'.repeat(64 * 1024)}`));
    expect(answer).toMatch(/^HTTP\/1\.1 431/);
  });

  it('is closed when its headers do not come', async () => {
    const rig = await rigWith(undefined, { headersMs: 300, headersCheckMs: 50 });
    const socket = connect({ port: rig.proxyPort, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    const drip = setInterval(() => socket.write('X'), 50);
    socket.write('GET http://a.test/ HTTP/1.1\r\n');
    await new Promise<void>((resolve) => socket.resume().once('close', () => resolve()));
    clearInterval(drip);
    expect(socket.destroyed).toBe(true);
  });

  it('has a bounded number of exchanges under way', async () => {
    const rig = await rigWith(undefined, { requestsPerRun: 2 });
    const server = await origin(() => undefined);
    const waiting = [1, 2].map(() => connect({ port: rig.proxyPort, host: '127.0.0.1' }).on('error', () => undefined));
    for (const socket of waiting) socket.write(get(`http://a.test:${server.port}/`));
    await expect.poll(() => server.requests.length).toBe(2);
    const answer = await exchange(rig.proxyPort, get(`http://a.test:${server.port}/`));
    expect(answer).toMatch(/^HTTP\/1\.1 503/);
    expect(rig.decisions().at(-1)).toMatchObject({ verdict: 'deny', source: 'internal', reason: 'resources' });
    for (const socket of waiting) socket.destroy();
    await expect
      .poll(async () => {
        const retry = connect({ port: rig.proxyPort, host: '127.0.0.1' }).on('error', () => undefined);
        retry.write(get(`http://a.test:${server.port}/`));
        waiting.push(retry);
        await new Promise((wake) => setTimeout(wake, 20));
        return server.requests.length;
      })
      .toBeGreaterThan(2);
    for (const socket of waiting) socket.destroy();
  });

  it('takes its upstream connection with it when it goes', async () => {
    const rig = await rigWith();
    let open_ = 0;
    const server = await tcp((socket) => {
      open_++;
      socket.resume().once('close', () => open_--);
      socket.once('end', () => socket.end());
    });
    const client = connect({ port: rig.proxyPort, host: '127.0.0.1' });
    client.write(get(`http://a.test:${server.port}/`));
    await expect.poll(() => open_).toBe(1);
    client.destroy();
    await expect.poll(() => open_).toBe(0);
  });

  it('survives an origin that answers with nonsense', async () => {
    const rig = await rigWith();
    for (const nonsense of [
      'nonsense\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      '',
    ]) {
      const server = await tcp((socket) => socket.once('data', () => socket.end(nonsense)));
      expect(await exchange(rig.proxyPort, get(`http://a.test:${server.port}/`))).toMatch(/^HTTP\/1\.1 502/);
    }
  });
});
