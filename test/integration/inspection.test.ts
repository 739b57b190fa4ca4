import { execFile } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';
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
    expect(seen).toEqual([]);
    expect(rig.decisions()).toEqual([]);
  });

  it('but HTTP/1.0, which has no Host header, is served', async () => {
    const said = await ask(await rig.open(`a.test:${origin.port}`), 'GET /old HTTP/1.0\r\n\r\n');
    expect(said).toMatch(/^HTTP\/1\.1 200 .*GET \/old 0$/s);
    expect(seen[0]?.headers.host).toBe(`a.test:${origin.port}`);
  });
});
