import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { bodyOf, closingAfterEach, exchange, get } from './egress-rig.ts';

const { origin, rigWith, tcp } = closingAfterEach();

/** The same answers whichever way a request takes through the proxy: an ordinary GET the short one, an escaped path and other methods the long one. */
describe.each([
  ['an ordinary path', '/a/b.txt?q=1'],
  ['an escaped path', '/a%20b'],
])('the answer to a request for %s', (_name, path) => {
  const answerOf = async (raw: string, method = 'GET') => {
    const rig = await rigWith();
    const server = await tcp((socket) => socket.once('data', () => socket.end(raw)));
    return await exchange(rig.proxyPort, get(`http://a.test:${server.port}${path}`).replace('GET', method));
  };

  it('keeps every line of a header that may come several times', async () => {
    const answer = await answerOf(
      'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
    );
    expect(answer.match(/^set-cookie: .*$/gim)).toEqual(['set-cookie: a=1', 'set-cookie: b=2']);
    expect(answer).toMatch(/\r\n\r\nok$/);
  });

  it('to HEAD has a length and no body', async () => {
    const answer = await answerOf('HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nConnection: close\r\n\r\n', 'HEAD');
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*content-length: 12345\r\n.*\r\n\r\n$/is);
  });

  it.each([204, 304])('of status %i has no body', async (status) => {
    const answer = await answerOf(`HTTP/1.1 ${status} X\r\nETag: "x"\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*etag: "x"\\r\\n.*\\r\\n\\r\\n$`, 'is'));
  });

  it('is the final one, not an early hint', async () => {
    const answer = await answerOf(
      'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*ok$/s);
    expect(answer).not.toMatch(/early|link/i);
  });

  it('is framed anew when its length is a matter of its own connection', async () => {
    const answer = await answerOf(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n',
    );
    expect(answer).toMatch(/transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n$/i);
  });

  it('shows that it is cut off when the origin breaks off', async () => {
    const answer = await answerOf('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nstart\r\n');
    expect(answer).toMatch(/^(HTTP\/1\.1 200 |$)/);
    expect(answer).not.toMatch(/\r\n0\r\n\r\n$/);
  });

  it('is a refusal when the origin is denied, and nothing is dialled', async () => {
    const rig = await rigWith({ names: [], ranges: [] });
    const server = await origin((_request, response) => response.end('reached'));
    const answer = await exchange(rig.proxyPort, get(`http://a.test:${server.port}${path}`));
    expect(answer).toMatch(/^HTTP\/1\.1 403 .*connection: close/is);
    expect(bodyOf(answer)).toMatchObject({ error: 'egress_denied', host: 'a.test' });
    expect(server.requests).toEqual([]);
  });

  it('is a refusal when its receipt cannot be written', async () => {
    const rig = await rigWith();
    rig.recordFails = true;
    const server = await origin((_request, response) => response.end('reached'));
    expect(await exchange(rig.proxyPort, get(`http://a.test:${server.port}${path}`))).toMatch(/^HTTP\/1\.1 503 /);
    expect(server.requests).toEqual([]);
  });

  it('is fetched no faster than the client takes it', async () => {
    const rig = await rigWith();
    let sent = 0;
    let full = () => {};
    const blocked = new Promise<void>((resolve) => {
      full = resolve;
    });
    const block = Buffer.alloc(1024 * 1024, 'x');
    const total = 64;
    const server = await tcp((socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total * block.length}\r\nConnection: close\r\n\r\n`);
        const more = () => {
          while (sent < total) {
            sent++;
            if (!socket.write(block)) {
              const stuck = setTimeout(full, 1000);
              return void socket.once('drain', () => {
                clearTimeout(stuck);
                more();
              });
            }
          }
          socket.end();
        };
        more();
      });
    });
    const client = connect({ port: rig.proxyPort, host: '127.0.0.1' });
    client.pause();
    client.write(get(`http://a.test:${server.port}${path}`));
    await blocked;
    expect(sent).toBeLessThan(total);
    let bytes = 0;
    client.on('data', (chunk) => {
      bytes += chunk.length;
    });
    await new Promise((resolve) => client.resume().once('end', resolve));
    client.destroy();
    expect(bytes).toBeGreaterThan(total * block.length);
  });
});

it('what pipelined requests of a client that went away had taken is given back', async () => {
  const rig = await rigWith(undefined, { requestsPerRun: 4 });
  const server = await origin(() => undefined);
  const client = connect({ port: rig.proxyPort, host: '127.0.0.1' });
  const one = `GET http://a.test:${server.port}/slow HTTP/1.1\r\nHost: a.test:${server.port}\r\n\r\n`;
  client.write(one.repeat(4));
  await expect.poll(() => server.requests.length).toBe(4);
  client.destroy();
  const quick = await origin((_request, response) => response.end('ok'));
  await expect.poll(() => exchange(rig.proxyPort, get(`http://a.test:${quick.port}/`))).toMatch(/^HTTP\/1\.1 200 /);
});

it('a connection stays open for as long as the limits say, and the answer tells the client', async () => {
  const rig = await rigWith(undefined, { keepAliveMs: 12_000 });
  const server = await origin((_request, response) => response.end('ok'));
  const asked = get(`http://a.test:${server.port}/`).replace('Connection: close\r\n', '');
  expect(await exchange(rig.proxyPort, asked, /ok$/)).toMatch(/^keep-alive: timeout=12\r$/im);
});
