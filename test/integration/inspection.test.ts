import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { firstFlight } from '../support/captured-hello.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { exchange, freePort, openTunnel, readAll, startOrigin, startTcp } from './egress-rig.ts';
import { ask, type InspectRig, startInspectRig, startSecureOrigin } from './inspect-rig.ts';

const run = promisify(execFile);
type Seen = { method: string; url: string; headers: IncomingMessage['headers']; body: string };

let rig: InspectRig;
let origin: Awaited<ReturnType<typeof startSecureOrigin>>;
let seen: Seen[] = [];

beforeAll(async () => {
  rig = await startInspectRig(temporaryDirectory(), { allowed: [] });
  origin = await startSecureOrigin(rig.origins, answer);
});
afterAll(async () => {
  await rig?.close();
  await origin?.close();
});
beforeEach(() => {
  rig.requests = { allowed: ['GET /', 'HEAD /', 'POST /up'] };
  rig.simulate = false;
  rig.secrets.clear();
  rig.events.splice(0);
  seen = [];
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  const { method = '', url = '', headers } = request;
  for await (const chunk of request) chunks.push(chunk);
  seen.push({ method, url, headers, body: Buffer.concat(chunks).toString('latin1') });
  if (url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    return;
  }
  if (url === '/hang-up') return void request.socket.destroy();
  if (url === '/moved') return void response.writeHead(302, { location: 'https://b.test/' }).end();
  response
    .writeHead(200, { 'x-from': 'the origin' })
    .end(`${method} ${url} ${chunks.reduce((n, c) => n + c.length, 0)}`);
}

const at = (path = '/', host = 'a.test') => `https://${host}:${origin.port}${path}`;
const curl = (...argv: string[]) =>
  run('curl', ['-sS', '-m', '10', '-x', `http://127.0.0.1:${rig.proxyPort}`, '--cacert', rig.ca, ...argv]);
const request = (text: string, host = `a.test:${origin.port}`) =>
  `${text}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

describe('a request in an inspected tunnel', () => {
  it('is decided by method and path, and its receipt names both', async () => {
    expect((await curl(at('/a?secret=query'))).stdout).toBe('GET /a?secret=query 0');
    expect(rig.decisions()).toMatchObject([
      { via: 'inspect', host: 'a.test', port: origin.port, verdict: 'allow', method: 'GET', path: '/a' },
    ]);
    expect(JSON.stringify(rig.events)).not.toContain('query');
    await expect.poll(() => rig.events.at(-1)).toMatchObject({ kind: 'closed', via: 'inspect' });
    const end = rig.events.at(-1) as { bytesUp: number; bytesDown: number };
    expect(end.bytesUp).toBeGreaterThan(50);
    expect(end.bytesDown).toBeGreaterThan(50);
  });

  it('that is denied gets the answer of plain HTTP, and nothing reaches the origin', async () => {
    const { stdout } = await curl('-d', 'data', '-w', '%{http_code}', at('/other'));
    expect(stdout).toMatch(/"error":"egress_denied","host":"a.test".*"rule":"test.yaml:2".*403$/);
    expect(seen).toEqual([]);
    expect(rig.decisions()).toMatchObject([{ verdict: 'deny', method: 'POST', path: '/other' }]);
  });

  it('that no rule allows is not answered with a way to allow every other', async () => {
    rig.requests = { allowed: [], byDefault: true };
    expect((await curl(at('/other'))).stdout).toMatch(
      /"how":"widen methods or paths of its rule, see: [^"]* a\.test:\d+"/,
    );
  });

  it('passes with its body, its headers and its answer', async () => {
    const big = 'x'.repeat(3_000_000);
    const child = curl('-i', '-H', 'x-own: 1', '-H', 'transfer-encoding: chunked', '--data-binary', '@-', at('/up'));
    child.child.stdin?.end(big);
    expect((await child).stdout).toMatch(/x-from: the origin.*POST \/up 3000000$/is);
    expect(seen[0]?.headers).toMatchObject({ 'x-own': '1', host: `a.test:${origin.port}` });
    expect(seen[0]?.body).toHaveLength(big.length);
  });

  it('is asked for its body only when it is allowed', async () => {
    const text = `POST /no HTTP/1.1\r\nHost: a.test:${origin.port}\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`;
    const refused = await ask(await rig.open(`a.test:${origin.port}`), text, /\}/);
    expect(refused).toMatch(/^HTTP\/1\.1 403 /);
    const wanted = await ask(await rig.open(`a.test:${origin.port}`), text.replace('/no', '/up'), /\r\n\r\n/);
    expect(wanted).toMatch(/^HTTP\/1\.1 100 Continue/);
  });

  it('may follow others on its connection, each decided by itself', async () => {
    const socket = await rig.open(`a.test:${origin.port}`);
    const head = `HTTP/1.1\r\nHost: a.test:${origin.port}\r\n`;
    const said = await ask(
      socket,
      `GET /1 ${head}\r\nPOST /no ${head}Content-Length: 0\r\n\r\nHEAD /3 ${head}Connection: close\r\n\r\n`,
    );
    expect(said.match(/HTTP\/1\.1 \d+/g)?.slice(0, 2)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 403']);
    expect(seen.map(({ url }) => url)).not.toContain('/no');
  });

  it('may not follow to another host', async () => {
    const head = (host: string) => `HTTP/1.1\r\nHost: ${host}:${origin.port}\r\n`;
    const said = await ask(
      await rig.open(`a.test:${origin.port}`),
      `GET /1 ${head('a.test')}\r\nGET /2 ${head('b.test')}\r\nGET /3 ${head('a.test')}Connection: close\r\n\r\n`,
    );
    expect(said.match(/HTTP\/1\.1 \d+/g)?.slice(0, 2)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
    expect(seen.map(({ url }) => url)).not.toContain('/2');
  });

  it('that redirects is not followed', async () => {
    expect((await curl('-w', '%{http_code}', at('/moved'))).stdout).toBe('302');
    expect(seen).toHaveLength(1);
  });

  it('gets the headers of a stream of events before the first event', async () => {
    const said = await ask(await rig.open(`a.test:${origin.port}`), request('GET /events HTTP/1.1'), /\r\n\r\n/);
    expect(said).toMatch(/^HTTP\/1\.1 200 .*text\/event-stream/s);
  });
});

describe('what does not hold together is refused before anything is decided', () => {
  const rows: [title: string, text: () => string][] = [
    ['another Host than the tunnel', () => request('GET / HTTP/1.1', 'b.test')],
    ['another port in Host', () => request('GET / HTTP/1.1', 'a.test:1')],
    ['two Host headers', () => request(`GET / HTTP/1.1\r\nHost: a.test:${origin.port}`)],
    ['no Host header', () => 'GET / HTTP/1.1\r\n\r\n'],
    ['a URL in place of a path', () => request(`GET https://b.test/ HTTP/1.1`)],
    ['the URL of the host itself', () => request(`GET ${at('/')} HTTP/1.1`)],
    [
      'a length and a transfer encoding',
      () => request('POST /up HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked'),
    ],
    ['two lengths', () => request('POST /up HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4')],
    ['an encoding that is not chunked', () => request('POST /up HTTP/1.1\r\nTransfer-Encoding: gzip, chunked')],
    ['a folded header', () => request('GET / HTTP/1.1\r\nX-A: 1\r\n  2')],
    ['a bare line feed', () => request('GET / HTTP/1.1\nX-A: 1')],
    ['a blank before the colon', () => request('GET / HTTP/1.1\r\nHost : b.test')],
    ['a GET with a body', () => `${request('GET / HTTP/1.1\r\nContent-Length: 3')}abc`],
    ['HTTP/2 without asking', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a tunnel in the tunnel', () => request('CONNECT b.test:443 HTTP/1.1')],
    ['TRACE, which would show what rules put in', () => request('TRACE / HTTP/1.1')],
  ];
  it.each(rows)('%s', async (_title, text) => {
    rig.requests = { allowed: ['GET /', 'POST /', 'TRACE /', 'CONNECT'] };
    const said = await ask(await rig.open(`a.test:${origin.port}`), text());
    expect(said).toMatch(/^HTTP\/1\.1 (400|501) /);
    expect(said).not.toMatch(/HTTP\/1\.1 200/);
    // What follows it at once is nobody's request.
    await ask(await rig.open(`a.test:${origin.port}`), text() + request('GET /after HTTP/1.1'));
    expect(seen).toEqual([]);
    expect(rig.decisions()).toEqual([]);
  });

  it('but HTTP/1.0, which has no Host header, is served', async () => {
    const said = await ask(await rig.open(`a.test:${origin.port}`), 'GET /old HTTP/1.0\r\n\r\n');
    expect(said).toMatch(/^HTTP\/1\.1 200 .*GET \/old 0$/s);
    expect(seen[0]?.headers.host).toBe(`a.test:${origin.port}`);
  });
});

describe('an inspected tunnel', () => {
  const message = async (options: Parameters<InspectRig['open']>[1], authority = `a.test:${origin.port}`) =>
    rig.open(authority, options).then(
      () => 'open',
      (error: Error & { code?: string }) => error.code ?? error.message,
    );

  it('speaks TLS 1.2 and later, and HTTP/1.1 alone', async () => {
    expect((await rig.open(`a.test:${origin.port}`, { ALPNProtocols: ['h2', 'http/1.1'] })).alpnProtocol).toBe(
      'http/1.1',
    );
    expect(await message({ ALPNProtocols: ['h2'] })).toMatch(/NO_APPLICATION_PROTOCOL/);
    expect(await message({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' })).not.toBe(
      'open',
    );
    expect(await message({ maxVersion: 'TLSv1.2' })).toBe('open');
  });

  it('has a certificate by its run, which other runs do not trust', async () => {
    const other = rig.authorities.get('r2')?.certificate ?? '';
    expect(await message({ ca: other })).toMatch(/UNABLE_TO_VERIFY|ISSUER/);
    // Some clients say by an alert what they do not like.
    const file = join(temporaryDirectory(), 'other.crt');
    writeFileSync(file, other);
    await expect(curl('--cacert', file, at())).rejects.toThrow(/certificate/);
    await expect
      .poll(() => rig.decisions())
      .toMatchObject([{ verdict: 'deny', reason: 'authority-refused', host: 'a.test' }]);
    rig.announced = { run: 'r2', pid: 8, program: '/bin/agent', kind: 'proxy' };
    expect(await message({ ca: other })).toBe('open');
    rig.announced = undefined;
  });

  it('is for the host that TLS names', async () => {
    expect(await message({ servername: 'b.test' })).toBe('ECONNRESET');
    expect(rig.decisions()).toMatchObject([{ verdict: 'deny', reason: 'sni-mismatch' }]);
  });

  it('is refused when the run has no authority, and says why', async () => {
    rig.announced = { run: 'r3', pid: 9, program: '/bin/agent', kind: 'proxy' };
    expect(await message({})).toBe('ECONNRESET');
    rig.announced = undefined;
    expect(rig.decisions()).toMatchObject([{ verdict: 'deny', reason: 'authority-lost', run: 'r3' }]);
  });

  it('has a certificate for a literal address too', async () => {
    const socket = await rig.open(`127.0.0.1:${origin.port}`, { host: '127.0.0.1', servername: '' });
    expect(socket.authorized).toBe(true);
    socket.destroy();
  });

  it('whose far side does not prove that it is the host gets no request', async () => {
    rig.trusts = [rig.authorities.get('r1')?.certificate ?? ''];
    const said = await ask(await rig.open(`a.test:${origin.port}`), request('GET / HTTP/1.1'));
    rig.trusts = [rig.origins.certificate];
    expect(said).toMatch(/^HTTP\/1\.1 502 .*"reason":"certificate-untrusted".*"message":"[^"]*does not verify: \w/s);
    expect(seen).toEqual([]);
  });

  it('whose far side has a certificate of another host gets no request', async () => {
    origin.impersonates = 'b.test';
    const said = await ask(await rig.open(`a.test:${origin.port}`), request('GET / HTTP/1.1'));
    origin.impersonates = undefined;
    expect(said).toMatch(/^HTTP\/1\.1 502 .*"reason":"certificate-untrusted"/s);
    await expect.poll(() => rig.events.at(-1)).toMatchObject({ kind: 'closed', result: 'certificate-untrusted' });
    expect(seen).toEqual([]);
  });

  it('to nobody says that nobody answers', async () => {
    const free = await freePort();
    const said = await ask(await rig.open(`a.test:${free}`), request('GET / HTTP/1.1', `a.test:${free}`));
    expect(said).toMatch(/^HTTP\/1\.1 502 .*"reason":"unreachable"/s);
  });

  it('whose far side hangs up is hung up on, so that its program tries again as it would', async () => {
    const socket = await rig.open(`a.test:${origin.port}`);
    expect(await ask(socket, request('GET /hang-up HTTP/1.1'))).toBe('');
    expect(seen).toHaveLength(1);
  });

  it('that carries neither TLS nor HTTP is cut, and a simulated run goes on unseen', async () => {
    const echo = await startTcp((socket) => socket.pipe(socket));
    const greet = async () => {
      const socket = await openTunnel(rig.proxyPort, `a.test:${echo.port}`);
      socket.write('SSH-2.0-test\r\n');
      return new Promise<string>((resolve) => {
        socket.once('data', (chunk) => resolve(chunk.toString())).once('error', (error) => resolve(error.message));
        socket.resume();
      });
    };
    expect(await greet()).toMatch(/ECONNRESET/);
    expect(rig.decisions()).toMatchObject([{ verdict: 'deny', reason: 'not-inspected' }]);
    rig.simulate = true;
    expect(await greet()).toBe('SSH-2.0-test\r\n');
    expect(rig.decisions().slice(1)).toMatchObject([
      { verdict: 'would-deny', reason: 'not-inspected' },
      { verdict: 'would-deny' },
    ]);
    await echo.close();
  });

  it('carries plain HTTP, decided alike', async () => {
    const plain = await startOrigin((_request, response) => response.end('plain'));
    const say = async (text: string) => {
      const socket = await openTunnel(rig.proxyPort, `a.test:${plain.port}`);
      socket.write(request(text, `a.test:${plain.port}`));
      return readAll(socket);
    };
    expect(await say('GET /p HTTP/1.1')).toMatch(/^HTTP\/1\.1 200 .*plain$/s);
    expect(await say('DELETE /p HTTP/1.1')).toMatch(/^HTTP\/1\.1 403 /);
    expect(plain.requests.map(({ method }) => method)).toEqual(['GET']);
    await plain.close();
  });

  it('carries a WebSocket, whose first request is decided', async () => {
    const upgrade = (path: string) =>
      `GET ${path} HTTP/1.1\r\nHost: a.test:${origin.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\nframe`;
    rig.requests = { allowed: ['GET /ws'], injected: [{ header: 'x-key', value: '{secret}', secret: 'K' }] };
    rig.secrets.set('r1 K', 'secret');
    origin.server.once('upgrade', (incoming, socket) => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Got: ${incoming.headers['x-key']}\r\n\r\n`,
      );
      socket.pipe(socket);
    });
    const said = await ask(await rig.open(`a.test:${origin.port}`), upgrade('/ws'), /frame/);
    expect(said).toMatch(/^HTTP\/1\.1 101 .*x-got: secret.*\r\n\r\nframe$/is);
    expect(await ask(await rig.open(`a.test:${origin.port}`), upgrade('/other'))).toMatch(/^HTTP\/1\.1 403 /);
    await expect.poll(() => rig.events).toContainEqual(expect.objectContaining({ kind: 'closed', bytesUp: 5 }));
    // An origin that stays with HTTP ends what was allowed as well.
    const ends = () => rig.events.filter(({ kind }) => kind === 'closed').length;
    const before = ends();
    expect(await ask(await rig.open(`a.test:${origin.port}`), upgrade('/ws'))).toMatch(/^HTTP\/1\.1 200 /);
    await expect.poll(ends).toBe(before + 1);
  });

  it('whose header does not come to an end is closed', async () => {
    const hasty = await startInspectRig(temporaryDirectory(), { allowed: [] }, { headersMs: 100, headersCheckMs: 50 });
    const socket = await hasty.open(`a.test:${origin.port}`);
    expect(await ask(socket, 'GET / HTTP/1.1\r\n')).toMatch(/^HTTP\/1\.1 408 /);
    const silent = await openTunnel(hasty.proxyPort, `a.test:${origin.port}`);
    silent.write(await firstFlight((port) => connect({ port, servername: 'a.test' }).on('error', () => undefined)));
    expect(await readAll(silent)).toMatch(/^\x16\x03\x03/); // our side of the handshake, and the end
    await hasty.close();
  });

  it('gives back what it holds when its client goes in the middle', async () => {
    const socket = await rig.open(`a.test:${origin.port}`);
    await new Promise<void>((resolve) => {
      socket.once('data', () => resolve()).write(request('GET /events HTTP/1.1'));
    });
    const count = () =>
      new Promise<number>((resolve) => origin.server.getConnections((_error, found) => resolve(found)));
    expect(await count()).toBeGreaterThan(0);
    socket.destroy();
    await expect.poll(count, { timeout: 5000 }).toBe(0);
  });
});

describe('a header that a rule puts in', () => {
  const injected = [{ header: 'authorization', value: 'Bearer {secret}', secret: 'KEY' }];

  it.each([
    ['as it is', ''],
    ['in place of what the program sent', 'Authorization: mine\r\n'],
    ['in place of several', 'Authorization: a\r\nauthorization: b\r\n'],
    ['though the program calls it one of the connection', 'Authorization: a\r\nConnection: authorization, close\r\n'],
  ])('goes out %s', async (_title, headers) => {
    rig.requests = { allowed: ['GET /', 'POST /up'], injected };
    rig.secrets.set('r1 KEY', "$&$'sesame");
    const text = `GET / HTTP/1.1\r\nHost: a.test:${origin.port}\r\n${headers}\r\n`;
    expect(await ask(await rig.open(`a.test:${origin.port}`), text, /GET \/ 0/)).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen[0]?.headers.authorization).toBe("Bearer $&$'sesame");
    expect(JSON.stringify(rig.events)).not.toContain('sesame');
  });

  it('is of the run that gave its secret, and without it nothing goes out', async () => {
    rig.requests = { allowed: ['GET /'], injected };
    rig.secrets.set('r2 KEY', 'secret');
    const said = await ask(await rig.open(`a.test:${origin.port}`), request('GET / HTTP/1.1'));
    expect(said).toMatch(/^HTTP\/1\.1 503 .*"reason":"secret-unknown"/s);
    expect(rig.decisions()).toMatchObject([{ verdict: 'deny', reason: 'secret-unknown' }]);
    expect(seen).toEqual([]);
  });

  it('goes out on no request that is denied, nor to where an answer redirects', async () => {
    rig.requests = { allowed: ['GET /moved'], injected };
    rig.secrets.set('r1 KEY', 'secret');
    await ask(await rig.open(`a.test:${origin.port}`), request('GET /other HTTP/1.1'));
    const said = await ask(await rig.open(`a.test:${origin.port}`), request('GET /moved HTTP/1.1'));
    expect(said).toMatch(/^HTTP\/1\.1 302 /);
    expect(seen.map(({ url }) => url)).toEqual(['/moved']);
  });

  it('goes out without TLS at no door, though the server is on this machine: the run could be that server', async () => {
    const plain = await startOrigin((_request, response) => response.end('plain'));
    const host = `a.test:${plain.port}`;
    rig.requests = { allowed: ['GET /', 'POST /up'], injected };
    rig.secrets.set('r1 KEY', 'sesame');
    for (const text of [
      request(`GET http://${host}/ HTTP/1.1`, host),
      `${request(`POST http://${host}/up HTTP/1.1\r\nContent-Length: 1`, host)}x`,
      `GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
    ])
      expect(await exchange(rig.proxyPort, text)).toMatch(/^HTTP\/1\.1 403 .*"reason":"secret-in-clear"/s);
    const tunnel = await openTunnel(rig.proxyPort, host);
    tunnel.write(request('GET / HTTP/1.1', host));
    expect(await readAll(tunnel)).toMatch(/^HTTP\/1\.1 403 .*"reason":"secret-in-clear"/s);
    expect(plain.requests).toEqual([]);
    await plain.close();
  });
});
