import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { startEgress } from '../../src/adapters/proxy/egress.ts';
import type { EgressEvent } from '../../src/adapters/proxy/egress-event.ts';
import { PolicyImage } from '../../src/core/engine/image.ts';
import { compilePolicy } from '../../src/core/policy/compile.ts';
import { closed, exchange, listening, startOrigin } from './egress-rig.ts';

const run = promisify(execFile);
const open: Array<() => Promise<void> | void> = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

function imageOf(rules: string): PolicyImage {
  const here = { lexical: bytes('/h'), real: bytes('/h') };
  const none = 'version: 1\nname: none\npolicies: []\n';
  const { image } = compilePolicy(
    [
      { name: 'builtin:protection.yaml', layer: 'protection', text: none },
      { name: 'builtin:guards.yaml', layer: 'guards', text: none },
      {
        name: 'user:mine.yaml',
        layer: 'user',
        text: `version: 1\nname: mine\npolicies:\n  - action: network\n${rules}`,
      },
    ],
    { home: here, workspace: here, tmp: here },
  );
  return PolicyImage.open(image, 'ab'.repeat(32));
}

async function egressUnder(image: PolicyImage) {
  const events: EgressEvent<PolicyImage>[] = [];
  const egress = await startEgress({
    connection: async () => ({ run: 'r1', pid: 1, program: '/p', kind: 'proxy' }),
    policyOf: () => ({ image, simulate: false }),
    record: async (event) => void events.push(event),
    resolve: async () => ['127.0.0.1'],
  });
  open.push(egress.close);
  return { ...egress, events };
}

const bytes = (text: string) => new TextEncoder().encode(text);
const get = (host: string, port: number) =>
  `GET http://${host}:${port}/ HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: close\r\n\r\n`;

it('a compiled policy decides by name, port and range, and the refusal names the rule', async () => {
  const server = await startOrigin((_request, response) => response.end('fine'));
  open.push(server.close);
  const other = await startOrigin((_request, response) => response.end('fine'));
  open.push(other.close);
  const image = imageOf(`    rules:
      - { destination: ["*.good.test:${server.port}", "127.0.0.0/8:${server.port}"], effect: allow }
      - { destination: "bad.good.test", effect: deny, reason: "it leaked once" }
`);
  const { proxyPort, events } = await egressUnder(image);
  const ask = async (host: string, port = server.port) => exchange(proxyPort, get(host, port));
  expect(await ask('api.good.test')).toMatch(/^HTTP\/1\.1 200/);
  expect(await ask('127.0.0.1')).toMatch(/^HTTP\/1\.1 200/);
  expect(await ask('api.good.test', other.port)).toMatch(/^HTTP\/1\.1 403/);
  expect(await ask('good.test')).toMatch(/^HTTP\/1\.1 403/);
  expect(await ask('evilgood.test')).toMatch(/^HTTP\/1\.1 403/);
  expect(await ask('bad.good.test')).toMatch(/^HTTP\/1\.1 403 .*it leaked once/s);
  expect(await ask('bad.good.test')).toContain('"rule":"user:mine.yaml:');
  expect(
    events.filter((event) => event.kind === 'decision').map(({ verdict, source }) => `${verdict} ${source}`),
  ).toEqual(['allow rule', 'allow rule', 'deny default', 'deny default', 'deny default', 'deny rule', 'deny rule']);
});

it('a rule for methods and paths lets those requests through and nothing else, and no tunnel', async () => {
  const asked: string[] = [];
  const server = await startOrigin((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end('fine');
  });
  open.push(server.close);
  const image = imageOf(`    rules:
      - { destination: "127.0.0.0/8", effect: allow }
      - { destination: "api.test", effect: allow, methods: [GET], paths: ["/v1/**"] }
`);
  const { proxyPort, events } = await egressUnder(image);
  const ask = async (method: string, path: string) =>
    exchange(
      proxyPort,
      `${method} http://api.test:${server.port}${path} HTTP/1.1\r\nHost: api.test:${server.port}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    );
  expect(await ask('GET', '/v1/models?limit=2')).toMatch(/^HTTP\/1\.1 200/);
  expect(await ask('POST', '/v1/models')).toMatch(/^HTTP\/1\.1 403/);
  expect(await ask('GET', '/v2/models')).toMatch(/^HTTP\/1\.1 403/);
  expect(await ask('GET', '/v1/../v2/models')).toMatch(/^HTTP\/1\.1 403/);
  expect(await ask('GET', '/v1/%2e%2e/v2')).toMatch(/^HTTP\/1\.1 403/);
  const tunnel = `CONNECT api.test:${server.port} HTTP/1.1\r\nHost: api.test:${server.port}\r\n\r\n`;
  expect(await exchange(proxyPort, tunnel)).toMatch(/^HTTP\/1\.1 403/);
  expect(asked).toEqual(['GET /v1/models?limit=2']);
  expect(events.filter(({ kind }) => kind === 'decision')).toHaveLength(6);
});

it('a request that asks the origin to read another method or path matches no rule that loosens by them, and every stricter one', async () => {
  const asked: string[] = [];
  const server = await startOrigin((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end('fine');
  });
  open.push(server.close);
  const bounded = imageOf(`    rules:
      - { destination: "127.0.0.0/8", effect: allow }
      - { destination: "api.test", effect: allow, methods: [GET, POST], paths: ["/v1/**"] }
`);
  const denied = imageOf(`    rules:
      - { destination: ["127.0.0.0/8", "api.test"], effect: allow }
      - { destination: "api.test", effect: deny, methods: [DELETE], paths: ["/v1/**"] }
`);
  const free = imageOf('    rules: [{ destination: ["127.0.0.0/8", "api.test"], effect: allow }]\n');
  const ask = async (image: PolicyImage, query: string, header: string) =>
    exchange(
      (await egressUnder(image)).proxyPort,
      `POST http://api.test:${server.port}/v1/x${query} HTTP/1.1\r\nHost: api.test:${server.port}\r\n${header}Content-Length: 0\r\nConnection: close\r\n\r\n`,
    );
  expect(await ask(bounded, '?id=1&method=a', '')).toMatch(/^HTTP\/1\.1 200/);
  expect(await ask(denied, '', '')).toMatch(/^HTTP\/1\.1 200/);
  const ways: Array<[query: string, header: string]> = [
    ['', 'X-HTTP-Method-Override: DELETE\r\n'],
    ['', 'x-http-method: DELETE\r\n'],
    ['', 'X-Method-Override: GET\r\nX-Method-Override: DELETE\r\n'],
    ['', 'X-Original-URL: /admin\r\n'],
    ['', 'X-Rewrite-URL: /admin\r\n'],
    ['?_method=DELETE', ''],
    ['?a=b&%5fmethod=DELETE', ''],
    ['?a;_METHOD=DELETE', ''],
    ['?$httpMethod=DELETE', ''],
  ];
  for (const [query, header] of ways) {
    expect(await ask(bounded, query, header), query + header).toMatch(/^HTTP\/1\.1 403/);
    expect(await ask(denied, query, header), query + header).toMatch(/^HTTP\/1\.1 403/);
    expect(await ask(free, query, header), query + header).toMatch(/^HTTP\/1\.1 200/);
  }
  expect(asked).toHaveLength(2 + ways.length);
});

it('a rule that refuses paths holds for them in either case, one that allows them does not', async () => {
  const server = await startOrigin((_request, response) => response.end('fine'));
  open.push(server.close);
  const { proxyPort } = await egressUnder(
    imageOf(`    rules:
      - { destination: "127.0.0.0/8", effect: allow }
      - { destination: "open.test", effect: allow }
      - { destination: "open.test", effect: deny, paths: ["/Admin/**", "/v[1a-c]/*.Key", "/**/x[!3]{y,Z}"] }
      - { destination: "bounded.test", effect: allow, paths: ["/v1/**"] }
`),
  );
  const status = async (host: string, path: string) =>
    (
      await exchange(
        proxyPort,
        `GET http://${host}:${server.port}${path} HTTP/1.1\r\nHost: ${host}:${server.port}\r\nConnection: close\r\n\r\n`,
      )
    ).slice(9, 12);
  const refused = [
    '/Admin',
    '/admin/x',
    '/%41DMIN/',
    '/aDmIn/Y',
    '/V1/a.key',
    '/VB/a.KEY',
    '/v1/A.kEy',
    '/q/XAz',
    '/q/xbY',
  ];
  const passed = ['/Admins', '/v2/a.key', '/Vd/a.KEY', '/q/X3y', '/@dmin'];
  for (const path of refused) expect(await status('open.test', path), path).toBe('403');
  for (const path of passed) expect(await status('open.test', path), path).toBe('200');
  expect(await status('bounded.test', '/v1/x')).toBe('200');
  expect(await status('bounded.test', '/V1/x')).toBe('403');
});

// Where a router stands before the rules it refuses these paths anyhow; upgrades come past it.
it('a path in bytes that only careless decoders read as another is no path that a rule knows', async () => {
  const server = await startOrigin((_request, response) => response.end('fine'));
  open.push(server.close);
  const { proxyPort } = await egressUnder(
    imageOf(`    rules:
      - { destination: ["127.0.0.0/8"], effect: allow }
      - { destination: "api.test", effect: allow, paths: ["/v1/**"] }
`),
  );
  const ask = (path: string) =>
    exchange(
      proxyPort,
      `GET http://api.test:${server.port}${path} HTTP/1.1\r\nHost: api.test:${server.port}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
  expect(await ask('/v1/%C3%A9t%C3%A9')).toMatch(/^HTTP\/1\.1 200/);
  for (const path of ['/v1/%c0%ae%c0%ae%c0%afadmin', '/v1/%e0%80%af', '/v1/%2e%2e%c1%9cadmin', '/v1/%ff'])
    expect(await ask(path), path).toMatch(/^HTTP\/1\.1 403/);
});

it('a stricter rule for some requests holds for a tunnel that could carry them', async () => {
  const server = await startOrigin((_request, response) => response.end('fine'));
  open.push(server.close);
  const image = imageOf(`    rules:
      - { destination: ["127.0.0.0/8", "api.test"], effect: allow }
      - { destination: "api.test", effect: deny, methods: [POST], reason: "read only" }
`);
  const { proxyPort } = await egressUnder(image);
  expect(await exchange(proxyPort, get('api.test', server.port))).toMatch(/^HTTP\/1\.1 200/);
  const tunnel = `CONNECT api.test:${server.port} HTTP/1.1\r\nHost: api.test:${server.port}\r\n\r\n`;
  expect(await exchange(proxyPort, tunnel)).toMatch(/^HTTP\/1\.1 403 .*read only/s);
});

it('a rule for a name alone, or for everything, does not reach loopback behind it', async () => {
  const server = await startOrigin((_request, response) => response.end('inside'));
  open.push(server.close);
  for (const rules of [
    '    rules: [{ destination: ["a.test", "*"], effect: allow }]\n',
    '    defaultEffect: allow\n    rules: []\n',
  ]) {
    const { proxyPort } = await egressUnder(imageOf(rules));
    for (const host of ['a.test', '127.0.0.1', 'localhost', '0x7f000001']) {
      expect(await exchange(proxyPort, get(host, server.port)), host).toMatch(
        /^HTTP\/1\.1 403 .*(special-address|no-rule)/s,
      );
    }
    expect(await exchange(proxyPort, get('a.test', server.port))).toContain('special-address');
  }
  expect(server.requests).toEqual([]);
});

it('a credential that a rule puts in goes out within TLS alone, on this machine too', async () => {
  const server = await startOrigin((request, response) => response.end(`got ${request.headers.authorization}`));
  open.push(server.close);
  const inject = 'inject: [{ header: authorization, value: "Bearer {secret}", secret: "env:TOKEN" }]';
  const image = imageOf(`    rules:
      - { destination: ["near.test", "far.test"], effect: allow, inspect: true, ${inject} }
      - { destination: ["127.0.0.0/8", "203.0.113.0/24"], effect: allow }
`);
  const events: EgressEvent<PolicyImage>[] = [];
  const egress = await startEgress({
    connection: async () => ({ run: 'r1', pid: 1, program: '/p', kind: 'proxy' }),
    policyOf: () => ({ image, simulate: false }),
    record: async (event) => void events.push(event),
    resolve: async (name) => [name === 'near.test' ? '127.0.0.1' : '203.0.113.7'],
    secretOf: (run, name) => `${run}-${name}`,
  });
  open.push(egress.close);
  for (const host of ['near.test', 'far.test']) {
    const refused = await exchange(egress.proxyPort, get(host, server.port));
    expect(refused).toMatch(/^HTTP\/1\.1 403 .*without TLS it is not known who would get it/s);
    expect(events.findLast(({ kind }) => kind === 'decision')).toMatchObject({
      verdict: 'deny',
      reason: 'secret-in-clear',
    });
    expect(JSON.stringify([refused, events.map(({ image: _image, ...event }) => event)])).not.toContain('r1-TOKEN');
  }
  expect(server.requests).toEqual([]);
});

it('localhost rules open their port and no other', async () => {
  const server = await startOrigin((_request, response) => response.end('fine'));
  open.push(server.close);
  const { proxyPort } = await egressUnder(
    imageOf(`    rules: [{ destination: "localhost:${server.port}", effect: allow }]\n`),
  );
  for (const host of ['localhost', '127.0.0.1']) {
    expect(await exchange(proxyPort, get(host, server.port)), host).toMatch(/^HTTP\/1\.1 200/);
    expect(await exchange(proxyPort, get(host, server.port + 1)), host).toMatch(/^HTTP\/1\.1 403/);
  }
});

it('a question that nobody can answer is a denial by silence', async () => {
  const { proxyPort, events } = await egressUnder(imageOf('    rules: [{ destination: "a.test", effect: ask }]\n'));
  expect(await exchange(proxyPort, get('a.test', 80))).toMatch(/^HTTP\/1\.1 403 .*ask-unanswered/s);
  expect(events).toMatchObject([{ verdict: 'deny', source: 'silence', reason: 'ask-unanswered' }]);
});

it('curl reaches an https origin through a tunnel and checks its certificate end to end', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gk-egress-'));
  open.push(() => rmSync(directory, { recursive: true }));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=tls.test', '-addext', 'subjectAltName=DNS:tls.test', '-days', '2'];
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject]);
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) =>
    response.end('secret'),
  );
  const port = await listening(server);
  open.push(() => closed(server));
  const image = imageOf(`    rules: [{ destination: ["tls.test", "127.0.0.1"], effect: allow }]\n`);
  const { proxyPort } = await egressUnder(image);
  const curl = (...args: string[]) =>
    run('curl', ['-sS', '-x', `http://127.0.0.1:${proxyPort}`, ...args, `https://tls.test:${port}/`]);
  expect((await curl('--cacert', cert)).stdout).toBe('secret');
  await expect(curl()).rejects.toMatchObject({ code: 60 });
});
