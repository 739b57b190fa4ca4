import { describe, expect, it } from 'vitest';
import { closingAfterEach, exchange } from './egress-rig.ts';

const { open, origin, rigWith, tcp } = closingAfterEach();

describe('upgrades over plain HTTP', () => {
  const upgrade = (url: string, protocol: string) =>
    `GET ${url} HTTP/1.1\r\nHost: ${url.split('/')[2]}\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nSec-WebSocket-Key: k\r\n\r\n`;

  it('relays a WebSocket in both directions, with its bytes', async () => {
    const rig = await rigWith();
    const server = await origin(() => undefined);
    server.server.on('upgrade', (request, socket, head) => {
      expect(request.headers).toMatchObject({ host: `ws.test:${server.port}`, 'sec-websocket-key': 'k' });
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: a\r\n\r\n',
      );
      socket.write('first');
      socket.write(head);
      socket.pipe(socket);
      open.unshift(async () => void socket.destroy());
    });
    const answer = await exchange(
      rig.proxyPort,
      `${upgrade(`http://ws.test:${server.port}/x`, 'websocket')}frame`,
      /frame/,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n.*sec-websocket-accept: a.*\r\n\r\nfirstframe$/is);
    expect(rig.decisions()).toMatchObject([{ via: 'upgrade', host: 'ws.test', verdict: 'allow', path: '/x' }]);
    await expect.poll(() => rig.events.at(-1)).toMatchObject({ kind: 'closed', via: 'upgrade', bytesUp: 5 });
  });

  it('decides them like everything else', async () => {
    const rig = await rigWith({ names: [], ranges: [] });
    const answer = await exchange(rig.proxyPort, upgrade('http://ws.test/x', 'websocket'));
    expect(answer).toMatch(/^HTTP\/1\.1 403 egress denied: no-rule/);
  });

  it('passes on the answer of an origin that refuses', async () => {
    const rig = await rigWith();
    const server = await origin((_request, response) => response.writeHead(426, { 'x-why': 'old' }).end('no'));
    const answer = await exchange(rig.proxyPort, upgrade(`http://ws.test:${server.port}/`, 'websocket'));
    expect(answer).toMatch(/^HTTP\/1\.1 426 .*x-why: old.*connection: close\r\n\r\nno$/is);
    await expect.poll(() => rig.events.at(-1)).toMatchObject({ kind: 'closed', via: 'upgrade', host: 'ws.test' });
  });

  it('tells the end of those that found no origin', async () => {
    const rig = await rigWith();
    const server = await origin(() => undefined);
    await server.close();
    const answer = await exchange(rig.proxyPort, upgrade(`http://ws.test:${server.port}/`, 'websocket'));
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    await expect
      .poll(() => rig.events.at(-1))
      .toMatchObject({ kind: 'closed', address: null, bytesUp: 0, result: 'ECONNREFUSED' });
  });

  it.each([
    ['another one than the program asked for', 'websocket', 'other'],
    ['one that it was not asked for', 'h2c', 'h2c'],
    ['WebSocket, when something else was asked for', 'h2c', 'websocket'],
  ])('carries nothing in a protocol of the origin that is %s', async (_title, asked, given) => {
    const rig = await rigWith();
    let got = '';
    const server = await tcp((socket) => {
      socket.on('data', (chunk) => {
        got += chunk.toString('latin1');
      });
      socket.write(`HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: ${given}\r\n\r\nfrom outside`);
    });
    const answer = await exchange(rig.proxyPort, `${upgrade(`http://a.test:${server.port}/`, asked)}from inside`);
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer).not.toContain('from outside');
    expect(got).not.toContain('from inside');
  });

  it('passes on headers byte for byte', async () => {
    const rig = await rigWith();
    const server = await tcp((socket) => {
      const head = 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\nX-Name: caf\xe9\r\n\r\n';
      socket.end(Buffer.from(head, 'latin1'));
    });
    const answer = await exchange(rig.proxyPort, upgrade(`http://a.test:${server.port}/`, 'websocket'));
    expect(answer).toMatch(/^HTTP\/1\.1 101 .*X-Name: caf\xe9\r\n/s);
  });

  it('turns an offer of h2c into the plain request', async () => {
    const rig = await rigWith();
    const server = await origin((_request, response) => response.end('plain'));
    const answer = await exchange(rig.proxyPort, upgrade(`http://a.test:${server.port}/`, 'h2c'));
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*plain$/s);
    expect(server.requests[0]?.headers).not.toHaveProperty('upgrade');
  });
});
