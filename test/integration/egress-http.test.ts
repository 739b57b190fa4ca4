import { createHash, randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { bodyOf, closingAfterEach, exchange, freePort, get, startTcp } from './egress-rig.ts';

const { origin, rigWith, tcp } = closingAfterEach();

describe('plain HTTP', () => {
  it('passes on a request with the host of the URL, path and query byte for byte, and records the path alone', async () => {
    const rig = await rigWith();
    const server = await origin((_request, response) => response.end('fine'));
    const answer = await exchange(rig.proxyPort, get(`http://Good.TEST:${server.port}/a%20b/c?q=%2F&token=s3cret`));
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*fine$/s);
    expect(server.requests).toMatchObject([
      { url: '/a%20b/c?q=%2F&token=s3cret', headers: { host: `good.test:${server.port}` } },
    ]);
    expect(rig.decisions()).toMatchObject([
      { via: 'http', method: 'GET', path: '/a%20b/c', host: 'good.test', verdict: 'allow' },
    ]);
    expect(JSON.stringify(rig.events)).not.toContain('s3cret');
    await expect
      .poll(() => rig.events.at(-1))
      .toMatchObject({ kind: 'closed', bytesDown: answer.length, result: 'ok' });
  });

  it('accepts a URL without a path', async () => {
    const rig = await rigWith();
    const server = await origin((_request, response) => response.end('fine'));
    for (const tail of ['', '?q=1', '/']) {
      expect(
        await exchange(
          rig.proxyPort,
          get(`http://a.test:${server.port}${tail}`).replace(/Host: .*/, `Host: a.test:${server.port}`),
        ),
      ).toContain('fine');
    }
    expect(server.requests.map(({ url }) => url)).toEqual(['/', '/?q=1', '/']);
  });

  it('refuses with a body that programs and humans can read', async () => {
    const rig = await rigWith({ names: [], ranges: [] });
    const answer = await exchange(rig.proxyPort, get('http://evil.test/x'));
    expect(answer).toMatch(
      /^HTTP\/1\.1 403 egress denied: no-rule; to allow: gatekeeper net allow evil\.test:80\r\n.*gatekeeper-reason: no-rule/s,
    );
    expect(bodyOf(answer)).toMatchObject({
      error: 'egress_denied',
      host: 'evil.test',
      port: 80,
      how: 'gatekeeper net allow evil.test:80',
    });
    expect(rig.lookups).toEqual([]);
  });

  it('decides every request of a connection anew', async () => {
    const rig = await rigWith({ names: ['good.test'], ranges: ['127.0.0.'] });
    const server = await origin((_request, response) => response.end('fine'));
    const good = `GET http://good.test:${server.port}/1 HTTP/1.1\r\nHost: good.test:${server.port}\r\n\r\n`;
    const bad = `GET http://evil.test:${server.port}/2 HTTP/1.1\r\nHost: evil.test:${server.port}\r\n\r\n`;
    const answer = await exchange(rig.proxyPort, good + bad + good);
    expect(answer.match(/HTTP\/1\.1 \d+/g)?.slice(0, 2)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 403']);
    expect(server.requests.every(({ url }) => url === '/1')).toBe(true);
    expect(rig.decisions().map(({ verdict }) => verdict)).toContain('deny');
  });

  it('does not follow redirects', async () => {
    const rig = await rigWith({ names: ['good.test'], ranges: ['127.0.0.'] });
    const target = await origin((_request, response) => response.end('inside'));
    const server = await origin((_request, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${target.port}/` }).end();
    });
    const answer = await exchange(rig.proxyPort, get(`http://good.test:${server.port}/`));
    expect(answer).toContain('HTTP/1.1 302');
    expect(answer).toContain(`location: http://127.0.0.1:${target.port}/`);
    expect(target.requests).toEqual([]);
  });

  it('asks an overloaded origin once', async () => {
    const rig = await rigWith();
    const server = await origin((_request, response) => response.writeHead(503).end('busy'));
    expect(await exchange(rig.proxyPort, get(`http://a.test:${server.port}/`))).toContain('HTTP/1.1 503');
    expect(server.requests).toHaveLength(1);
  });

  it('says that an allowed origin cannot be reached or has no address', async () => {
    const rig = await rigWith();
    const dead = await startTcp(() => undefined);
    await dead.close();
    const answer = await exchange(rig.proxyPort, get(`http://a.test:${dead.port}/`));
    expect(answer).toMatch(/^HTTP\/1\.1 502/);
    expect(bodyOf(answer)).toMatchObject({ error: 'egress_failed', reason: 'unreachable', host: 'a.test' });
    await expect.poll(() => rig.events.at(-1)).toMatchObject({ kind: 'closed', result: 'ECONNREFUSED' });
    rig.addresses = { 'none.test': [] };
    expect(bodyOf(await exchange(rig.proxyPort, get('http://none.test/')))).toMatchObject({ reason: 'unresolved' });
    expect(rig.decisions().at(-1)).toMatchObject({ verdict: 'allow', reason: 'unresolved', address: null });
  });

  it('keeps hop-by-hop headers on their hop, both ways', async () => {
    const rig = await rigWith();
    const server = await tcp((socket) => {
      socket.once('data', (chunk) => {
        sent = chunk.toString('latin1');
        socket.end(
          'HTTP/1.1 200 OK\r\nX-Hop: 1\r\nConnection: x-hop\r\nKeep-Alive: timeout=9\r\nX-End: 2\r\nContent-Length: 2\r\n\r\nok',
        );
      });
    });
    let sent = '';
    const answer = await exchange(
      rig.proxyPort,
      `GET http://a.test:${server.port}/ HTTP/1.1\r\nHost: a.test:${server.port}\r\nProxy-Authorization: Basic eDp5\r\nProxy-Connection: keep-alive\r\nTE: gzip\r\nKeep-Alive: 5\r\nX-Mine: 1\r\nConnection: close, x-mine\r\nX-End: 1\r\n\r\n`,
    );
    expect(sent).toMatch(/^x-end: 1\r$/im);
    expect(sent).not.toMatch(/proxy-|^te:|^keep-alive:|x-mine/im);
    expect(answer).toMatch(/^x-end: 2\r$/im);
    expect(answer).not.toMatch(/x-hop|timeout=9/i);
  });

  it('streams: an upload of 30 MB without a length, and an answer whose first part arrives before the last is made', async () => {
    const rig = await rigWith();
    const data = randomBytes(30 * 1024 * 1024);
    const hash = createHash('sha256');
    const server = await origin((request, response) => {
      request.on('data', (chunk) => hash.update(chunk));
      request.once('end', () => {
        response.write(hash.digest('hex'));
        finish = () => response.end('-last');
      });
    });
    let finish: () => void = () => undefined;
    let text = '';
    await new Promise<void>((resolve, reject) => {
      const outgoing = httpRequest(
        {
          port: rig.proxyPort,
          method: 'POST',
          path: `http://a.test:${server.port}/up`,
          headers: { host: `a.test:${server.port}` },
        },
        (response) => {
          response.on('data', (chunk) => {
            text += chunk;
            if (text.length === 64) finish();
          });
          response.once('end', resolve);
        },
      );
      outgoing.once('error', reject);
      outgoing.end(data);
    });
    expect(text).toBe(`${createHash('sha256').update(data).digest('hex')}-last`);
    await expect.poll(() => rig.events.at(-1)).toMatchObject({ kind: 'closed' });
    const closed = rig.events.at(-1);
    expect(closed?.kind === 'closed' && closed.bytesUp).toBeGreaterThan(data.length);
  });

  it('answers Expect: 100-continue itself and passes the body on', async () => {
    const rig = await rigWith();
    const server = await origin((request, response) => request.pipe(response));
    const answer = await exchange(
      rig.proxyPort,
      `PUT http://a.test:${server.port}/ HTTP/1.1\r\nHost: a.test:${server.port}\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 .*body/s);
  });

  it.each(['PROPFIND', 'REPORT', 'DELETE', 'PATCH', 'OPTIONS'])(
    'passes on %s with a JSON body as it is',
    async (method) => {
      const rig = await rigWith();
      let seen = '';
      const server = await origin((request, response) => {
        request.on('data', (chunk) => {
          seen += chunk;
        });
        request.once('end', () => response.end('ok'));
      });
      const json = '{ "__proto__": {},  "b":1 }';
      const answer = await exchange(
        rig.proxyPort,
        `${method} http://a.test:${server.port}/ HTTP/1.1\r\nHost: a.test:${server.port}\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\nConnection: close\r\n\r\n${json}`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 200/);
      expect(seen).toBe(json);
    },
  );

  it('lets no two runs and no two names share a connection to one origin', async () => {
    const rig = await rigWith();
    rig.announced = new Map();
    const users = new Map<unknown, Set<string>>();
    const server = await origin((request, response) => {
      const seen = users.get(request.socket) ?? new Set();
      users.set(request.socket, seen.add(`${request.headers['x-run']} ${request.headers.host}`));
      response.end('ok');
    });
    for (const run of ['r1', 'r2', 'r1', 'r2']) {
      for (const name of ['a.test', 'b.test']) {
        const localPort = await freePort();
        rig.announced.set(`4:${localPort}`, { run, pid: 1, program: '/p', kind: 'proxy' });
        await exchange(rig.proxyPort, get(`http://${name}:${server.port}/`, `X-Run: ${run}`), undefined, localPort);
      }
    }
    expect(server.requests).toHaveLength(8);
    expect(users.size).toBeGreaterThanOrEqual(4);
    for (const seen of users.values()) expect(seen.size).toBe(1);
  });
});
