import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Egress, startEgress } from '../../src/adapters/proxy/egress.ts';
import type { EgressEvent } from '../../src/adapters/proxy/egress-event.ts';
import { PolicyImage } from '../../src/core/engine/image.ts';
import { bare } from '../support/bare.ts';
import { NODES } from '../support/node-versions.ts';
import { compileTexts } from '../support/policy.ts';
import { closed, listening, startOrigin } from './egress-rig.ts';

/** Programs that know nothing of proxies, with the hook and outside of a run: names exist for the proxy alone. */
const HOOK = fileURLToPath(new URL('../../dist/node-hook/gatekeeper-hook.cjs', import.meta.url));
const events: EgressEvent<PolicyImage>[] = [];
const close: Array<() => Promise<unknown>> = [];
let directory = '';
let plainPort = 0;
let tlsPort = 0;
let egress: Egress;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gatekeeper-node-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=good.test', '-addext', 'subjectAltName=DNS:good.test', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject], {
    stdio: 'ignore',
  });
  const plain = await startOrigin((request, response) =>
    response.end(`${request.method} ${request.url} ${request.headers.host}`),
  );
  plainPort = plain.port;
  close.push(plain.close);
  const secure = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    request.resume().on('end', () => response.end(`${request.method} ${request.url} over TLS`));
  });
  secure.keepAliveTimeout = 60_000;
  tlsPort = await listening(secure);
  close.push(() => closed(secure));
  const { image: bytes } = compileTexts([
    {
      layer: 'user',
      name: 'user:mine.yaml',
      text: `version: 1
name: mine
policies:
  - action: network
    rules:
      - { destination: ["good.test", "plain.test", "127.0.0.0/8"], effect: allow }
      - { destination: "inside.test", effect: allow }
      - { destination: "bad.test", effect: deny, reason: "it leaked once" }
`,
    },
  ]);
  writeFileSync(join(directory, 'image'), bytes);
  const image = PolicyImage.open(bytes, '');
  egress = await startEgress({
    connection: async () => ({ run: 'r1', pid: 1, program: '/p', kind: 'proxy' }),
    policyOf: () => ({ image, simulate: false }),
    record: async (event) => void events.push(event),
    // An address that no rule names stands behind one of the allowed names.
    resolve: async (name) => (name === 'inside.test' ? ['10.1.2.3'] : name === 'none.test' ? [] : ['127.0.0.1']),
  });
  close.push(egress.close);
});

afterAll(async () => {
  for (const one of close.reverse()) await one();
  rmSync(directory, { recursive: true, force: true });
});

beforeEach(() => {
  events.length = 0;
});

/** What the program prints: one line of JSON for each request that it makes. */
async function programs(node: string, script: string, env: Record<string, string> = {}): Promise<unknown[]> {
  const file = join(directory, 'program.mjs');
  writeFileSync(file, PREAMBLE + script);
  const proxy = `http://127.0.0.1:${egress.proxyPort}`;
  const { stdout, stderr, status } = await bare([node, '--require', HOOK, file], {
    cwd: directory,
    env: {
      GATEKEEPER_HOOK: `:${join(directory, 'image')}`,
      HTTP_PROXY: proxy,
      HTTPS_PROXY: proxy,
      NO_PROXY: 'localhost,127.0.0.1,::1',
      NODE_EXTRA_CA_CERTS: join(directory, 'cert.pem'),
      PLAIN: String(plainPort),
      TLS: String(tlsPort),
      ...env,
    },
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

const PREAMBLE = `
import http from 'node:http';
import https, { request as secureRequest } from 'node:https';
const { PLAIN, TLS } = process.env;
const say = (value) => console.log(JSON.stringify(value));
const said = (error) => say({
  code: error.code, errno: error.errno, syscall: error.syscall, address: error.address, port: error.port,
  hostname: error.hostname, rule: error.gatekeeper?.rule, reason: error.gatekeeper?.reason, target: error.gatekeeper?.target,
});
const get = (way, url, options = {}) => new Promise((done) => {
  const { body, ...rest } = options;
  way(url, rest, async (response) => {
    let text = '';
    for await (const part of response) text += part;
    say([response.statusCode, text]);
    // The connection goes back to its agent in this turn.
    setImmediate(done);
  }).on('error', (error) => done(said(error))).end(body);
});
const take = async (url, options) => {
  try {
    const response = await fetch(url, options);
    say([response.status, await response.text()]);
  } catch (error) {
    said(error);
  }
};
`;

const decisions = () =>
  events.flatMap((event) =>
    event.kind === 'decision'
      ? [`${event.verdict} ${event.via} ${event.host} ${event.method ?? ''}${event.path ?? ''}`]
      : [],
  );

describe.each(NODES)('a program on %s', (node) => {
  it('reaches names by http, with method and path in the receipt', async () => {
    const said = await programs(
      node,
      `await get(http.request, 'http://plain.test:' + PLAIN + '/a?b=1');
       await get(http.request, 'http://plain.test:' + PLAIN + '/c', { method: 'POST', body: 'x' });
       await get(http.request, 'http://plain.test:' + PLAIN + '/d', { headers: ['Host', 'plain.test:' + PLAIN, 'X-A', '1'] });`,
    );
    expect(said).toEqual([
      [200, `GET /a?b=1 plain.test:${plainPort}`],
      [200, `POST /c plain.test:${plainPort}`],
      [200, `GET /d plain.test:${plainPort}`],
    ]);
    expect(decisions()).toEqual([
      'allow http plain.test GET/a',
      'allow http plain.test POST/c',
      'allow http plain.test GET/d',
    ]);
  });

  it('reaches names by https through one tunnel that is used again, and its certificates are checked', async () => {
    const said = await programs(
      node,
      `await get(secureRequest, 'https://good.test:' + TLS + '/a');
       await get(https.request, 'https://good.test:' + TLS + '/b', { method: 'PUT', body: 'x'.repeat(100000) });
       await get(https.request, 'https://plain.test:' + TLS + '/c');`,
    );
    expect(said).toEqual([
      [200, 'GET /a over TLS'],
      [200, 'PUT /b over TLS'],
      { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    ]);
    expect(decisions()).toEqual(['allow connect good.test ', 'allow connect plain.test ']);
  });

  it('reaches names by fetch', async () => {
    const said = await programs(
      node,
      `await take('http://plain.test:' + PLAIN + '/a', { headers: { 'X-A': '1' } });
       await take('https://good.test:' + TLS + '/b', { method: 'POST', body: 'x' });
       await take(new Request('https://good.test:' + TLS + '/c'));`,
    );
    expect(said).toEqual([
      [200, `GET /a plain.test:${plainPort}`],
      [200, 'POST /b over TLS'],
      [200, 'GET /c over TLS'],
    ]);
    // How many tunnels it opens is its own affair.
    expect([...new Set(decisions())]).toEqual(['allow http plain.test GET/a', 'allow connect good.test ']);
  });

  it('is told why a destination is refused', async () => {
    const said = await programs(
      node,
      `await get(https.request, 'https://bad.test/');
       await take('https://bad.test/');
       await get(https.request, 'https://nobody.test:8443/');
       await get(http.request, 'http://bad.test/');`,
    );
    const rule = { rule: 'user:mine.yaml:8', reason: 'it leaked once', target: 'bad.test:443' };
    expect(said).toEqual([
      { code: 'EACCES', errno: -13, syscall: 'connect', address: 'bad.test', port: 443, ...rule },
      rule,
      {
        ...{ code: 'EACCES', errno: -13, syscall: 'connect', address: 'nobody.test', port: 8443 },
        ...{ rule: null, reason: 'no rule allows it', target: 'nobody.test:8443' },
      },
      [403, expect.stringContaining('it leaked once')],
    ]);
  });

  it('is told of what only the proxy knows: addresses behind names, and names without any', async () => {
    const said = await programs(
      node,
      `await get(https.request, 'https://inside.test/');
       await get(https.request, 'https://none.test/', {});`,
    );
    expect(said).toEqual([
      {
        ...{ code: 'EACCES', errno: -13, syscall: 'connect', address: 'inside.test', port: 443 },
        ...{
          rule: null,
          reason: 'the address is not on the public internet, and no rule names its range',
          target: 'inside.test:443',
        },
      },
      expect.objectContaining({ code: 'EACCES', target: 'none.test:443' }),
    ]);
  });

  it('goes to this machine directly, and with an agent of its own wherever that goes', async () => {
    const said = await programs(
      node,
      `await get(http.request, 'http://127.0.0.1:' + PLAIN + '/a');
       await take('http://127.0.0.1:' + PLAIN + '/b');
       await get(http.request, 'http://127.0.0.1:' + PLAIN + '/c', { agent: new http.Agent() });`,
    );
    expect(said).toEqual(['a', 'b', 'c'].map((name) => [200, `GET /${name} 127.0.0.1:${plainPort}`]));
    expect(decisions()).toEqual([]);
  });
});
