import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { bodyOf, closingAfterEach, exchange, openTunnel, readAll } from './egress-rig.ts';

const { echo, origin, rigWith, tcp } = closingAfterEach();

describe('CONNECT', () => {
  it('relays to an allowed name, after its receipt', async () => {
    const rig = await rigWith();
    const server = await echo();
    const tunnel = await openTunnel(rig.proxyPort, `good.test:${server.port}`);
    expect(rig.decisions()).toMatchObject([
      {
        host: 'good.test',
        address: '127.0.0.1',
        port: server.port,
        verdict: 'allow',
        source: 'rule',
        via: 'connect',
        run: 'r1',
      },
    ]);
    tunnel.end('hello');
    expect(await readAll(tunnel)).toBe('hello');
    await expect
      .poll(() => rig.events.at(-1))
      .toMatchObject({ kind: 'closed', bytesUp: 5, bytesDown: 5, address: '127.0.0.1', result: 'ok' });
  });

  it('refuses a denied name before it is resolved, and says how to allow it', async () => {
    const rig = await rigWith({ names: ['good.test'], ranges: ['127.0.0.'] });
    const answer = await exchange(
      rig.proxyPort,
      'CONNECT secret-data.evil.test:443 HTTP/1.1\r\nHost: secret-data.evil.test:443\r\n\r\n',
    );
    expect(answer).toMatch(
      /^HTTP\/1\.1 403 egress denied: no-rule; to allow: gatekeeper net allow secret-data\.evil\.test:443\r\n/,
    );
    expect(answer).toMatch(/\r\ngatekeeper-reason: no-rule\r\n/);
    expect(bodyOf(answer)).toMatchObject({
      error: 'egress_denied',
      host: 'secret-data.evil.test',
      port: 443,
      reason: 'no-rule',
      how: 'gatekeeper net allow secret-data.evil.test:443',
    });
    expect(rig.lookups).toEqual([]);
    expect(rig.decisions()).toMatchObject([{ verdict: 'deny', source: 'default', reason: 'no-rule', address: null }]);
  });

  it('dials nothing when the receipt cannot be written', async () => {
    const rig = await rigWith();
    let dialled = 0;
    const server = await tcp(() => dialled++);
    rig.recordFails = true;
    const answer = await exchange(
      rig.proxyPort,
      `CONNECT good.test:${server.port} HTTP/1.1\r\nHost: good.test\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(bodyOf(answer)).toMatchObject({ error: 'egress_failed', reason: 'journal-failed' });
    expect(dialled).toBe(0);
  });

  it('refuses a name that points at an address no rule names, and dials only the good address of a mixed answer', async () => {
    const rig = await rigWith({ names: ['*'], ranges: ['127.0.0.'] });
    const server = await echo();
    rig.addresses = {
      'private.test': ['10.0.0.1'],
      'meta.test': ['169.254.169.254'],
      'mixed.test': ['169.254.169.254', '10.0.0.1', '127.0.0.1'],
    };
    // Nobody is told how to reach the place where clouds hand out credentials.
    for (const [host, how] of [
      ['private.test', 'gatekeeper net allow 10.0.0.1:80'],
      ['meta.test', null],
    ]) {
      const refused = await exchange(rig.proxyPort, `CONNECT ${host}:80 HTTP/1.1\r\nHost: ${host}:80\r\n\r\n`);
      expect(bodyOf(refused)).toMatchObject({ error: 'egress_denied', host, reason: 'special-address', how });
    }
    const tunnel = await openTunnel(rig.proxyPort, `mixed.test:${server.port}`);
    tunnel.end('x');
    expect(await readAll(tunnel)).toBe('x');
    expect(rig.decisions().map((event) => [event.verdict, event.address])).toEqual([
      ['deny', '10.0.0.1'],
      ['deny', '169.254.169.254'],
      ['allow', '127.0.0.1'],
    ]);
  });

  it('is not led to loopback by a name that answers differently the second time', async () => {
    const rig = await rigWith({ names: ['*'], ranges: ['127.0.0.2'] });
    const server = await echo();
    let asked = 0;
    rig.addresses = { 'rebind.test': () => (asked++ === 0 ? ['127.0.0.2'] : ['127.0.0.1']) };
    // 127.0.0.2 is allowed and nobody listens there; the server is on 127.0.0.1, where only a second lookup would lead.
    const first = await exchange(
      rig.proxyPort,
      `CONNECT rebind.test:${server.port} HTTP/1.1\r\nHost: rebind.test\r\n\r\n`,
    );
    expect(bodyOf(first)).toMatchObject({ error: 'egress_failed', reason: 'unreachable' });
    expect(rig.lookups).toEqual(['rebind.test']);
    const second = await exchange(
      rig.proxyPort,
      `CONNECT rebind.test:${server.port} HTTP/1.1\r\nHost: rebind.test\r\n\r\n`,
    );
    expect(bodyOf(second)).toMatchObject({ error: 'egress_denied', reason: 'special-address' });
  });

  it('does not let a permissive default reach special addresses', async () => {
    const rig = await rigWith({ names: [], ranges: [], defaultAllow: true });
    const server = await echo();
    for (const host of ['127.0.0.1', 'any.test', '[::ffff:127.0.0.1]', 'localhost', '2130706433']) {
      const answer = await exchange(
        rig.proxyPort,
        `CONNECT ${host}:${server.port} HTTP/1.1\r\nHost: ${host}:${server.port}\r\n\r\n`,
      );
      expect(bodyOf(answer), host).toMatchObject({ reason: 'special-address' });
    }
  });

  it('never opens the ports of gatekeeper itself, simulated or not', async () => {
    const rig = await rigWith();
    rig.simulate = true;
    for (const port of [rig.proxyPort, rig.transparentPort]) {
      for (const host of ['127.0.0.1', 'localhost', '[::1]', '0.0.0.0', '[::ffff:7f00:1]']) {
        const answer = await exchange(
          rig.proxyPort,
          `CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`,
        );
        expect(answer, `${host}:${port}`).toMatch(/^HTTP\/1\.1 403 /);
        expect(bodyOf(answer), host).toMatchObject({ reason: 'own-port' });
      }
    }
  });

  it('lets a simulated run pass and records what would have been denied', async () => {
    const rig = await rigWith({ names: [], ranges: [] });
    rig.simulate = true;
    const server = await echo();
    const tunnel = await openTunnel(rig.proxyPort, `denied.test:${server.port}`);
    tunnel.end('x');
    expect(await readAll(tunnel)).toBe('x');
    expect(rig.decisions()).toMatchObject([{ verdict: 'would-deny', reason: 'no-rule' }]);
  });

  it('tries the next address when the first does not answer', async () => {
    const rig = await rigWith();
    const server = await echo();
    rig.addresses = { 'two.test': ['127.0.0.9', '127.0.0.1'] };
    const tunnel = await openTunnel(rig.proxyPort, `two.test:${server.port}`);
    tunnel.end('x');
    expect(await readAll(tunnel)).toBe('x');
    await expect.poll(() => rig.events.at(-1)).toMatchObject({ kind: 'closed', address: '127.0.0.1' });
  });

  it.each([
    ['good.test', 'no port'],
    ['good.test:', 'empty port'],
    ['good.test:0', 'port 0'],
    ['good.test:65536', 'port too large'],
    ['good.test:65979', '65536+443'],
    ['good.test:+443', 'sign'],
    ['good.test:0443', 'leading zero'],
    ['good.test:443:80', 'two ports'],
    ['good.test:0x1bb', 'hex port'],
    ['g\u00f6\u00f6d.test:443', 'bytes that are not ASCII'],
    ['[::1:443', 'open bracket'],
    ['http://good.test:443', 'scheme'],
  ])('refuses the authority %s (%s)', async (authority) => {
    const rig = await rigWith();
    const request = `CONNECT ${authority} HTTP/1.1\r\nHost: good.test:443\r\n\r\n`;
    expect(await exchange(rig.proxyPort, Buffer.from(request, 'latin1'))).toMatch(/^HTTP\/1\.1 400 /);
    expect(rig.lookups).toEqual([]);
  });

  it.each([
    ['Host: other.test:443\r\n', 'another host'],
    ['Host: good.test\r\nHost: good.test\r\n', 'two hosts'],
    ['Host: good.test:443\r\nContent-Length: 5\r\n', 'a body'],
    ['Host: good.test:443\r\nTransfer-Encoding: chunked\r\n', 'a chunked body'],
  ])('refuses ambiguous headers: %j (%s)', async (headers) => {
    const rig = await rigWith();
    expect(await exchange(rig.proxyPort, `CONNECT good.test:443 HTTP/1.1\r\n${headers}\r\n`)).toMatch(
      /^HTTP\/1\.1 400 /,
    );
    expect(rig.events).toEqual([]);
  });

  it('passes on bytes that came with the request', async () => {
    const rig = await rigWith();
    const server = await echo();
    const answer = await exchange(
      rig.proxyPort,
      `CONNECT a.test:${server.port} HTTP/1.1\r\nHost: a.test\r\n\r\nearly`,
      /early/,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nearly$/s);
  });

  it('shows curl what happened', async () => {
    const rig = await rigWith({ names: ['good.test'], ranges: ['127.0.0.'] });
    const server = await origin((_request, response) => response.end('fine'));
    const curl = promisify(execFile);
    const proxy = ['-sS', '-p', '-x', `http://127.0.0.1:${rig.proxyPort}`];
    expect((await curl('curl', [...proxy, `http://good.test:${server.port}/x`])).stdout).toBe('fine');
    const refused = await curl('curl', [...proxy, '-v', 'http://evil.test/']).catch((error) => error);
    expect(refused).toMatchObject({ code: 56, stderr: expect.stringContaining('403 egress denied: no-rule') });
  });
});

it('records that an allowed destination could not be reached', async () => {
  const rig = await rigWith();
  const answer = await exchange(rig.proxyPort, 'CONNECT 127.0.0.1:9 HTTP/1.1\r\nHost: 127.0.0.1:9\r\n\r\n');
  expect(bodyOf(answer)).toMatchObject({ error: 'egress_failed', reason: 'unreachable' });
  expect(rig.events).toMatchObject([
    { kind: 'decision', verdict: 'allow' },
    { kind: 'closed', bytesUp: 0, bytesDown: 0, result: 'ECONNREFUSED' },
  ]);
});
