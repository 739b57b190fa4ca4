import { connect, type Socket } from 'node:net';
import { connect as connectTls, createServer, type SecureContext } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { RunAuthority } from '../../src/adapters/inspection/run-authority.ts';
import type { EgressTerms } from '../../src/core/egress/terms.ts';
import { helloFor, helloMessage, recordsOf, serverName } from '../support/client-hello.ts';
import {
  bodyOf,
  closed,
  closingAfterEach,
  exchange,
  freePort,
  LOOPBACK_ALLOWED,
  listening,
  openTunnel,
  type Rig,
  readAll,
  type TestImage,
} from './egress-rig.ts';

const { rigWith, tcp } = closingAfterEach();

const rigUnder = (
  terms: Partial<EgressTerms>,
  image: Partial<TestImage> = {},
  ...limits: [Parameters<typeof rigWith>[1]?]
) => rigWith({ ...LOOPBACK_ALLOWED, terms, ...image }, ...limits);

/** A server that answers with what it gets, in capitals, and keeps it. */
async function farSide(greeting?: string) {
  let got = Buffer.alloc(0);
  const server = await tcp((socket) => {
    if (greeting) socket.write(greeting);
    socket.on('data', (part) => {
      got = Buffer.concat([got, part]);
      socket.write(part);
    });
    socket.once('end', () => socket.end());
  });
  return { port: server.port, got: () => got };
}

/** What comes back from a tunnel for the bytes, and how it ended. */
async function sent(tunnel: Socket, bytes: Uint8Array, end = true): Promise<string> {
  tunnel.removeAllListeners('error').on('error', () => undefined);
  if (end) tunnel.end(bytes);
  else tunnel.write(bytes);
  return readAll(tunnel).catch((error) => error.code);
}

async function startOf(rig: Rig, host: string, bytes: Uint8Array, port: number, end = true): Promise<string> {
  return sent(await openTunnel(rig.proxyPort, `${host}:${port}`), bytes, end);
}

const heard = (tunnel: Socket) =>
  new Promise((resolve) => {
    tunnel.resume().once('data', (part) => {
      tunnel.pause();
      resolve(String(part));
    });
  });

const HELLO = helloFor('good.test');
const reasons = (rig: Rig) => rig.decisions().map(({ verdict, reason }) => `${verdict} ${reason}`);

describe('a tunnel for which TLS is required', () => {
  it.each(['good.test', 'GOOD.Test', 'good.test.'])('passes a hello that names its host as %s', async (name) => {
    const rig = await rigUnder({ sni: 'required' });
    const server = await farSide();
    const hello = Buffer.concat([helloFor(name), Buffer.from('more')]);
    expect(await startOf(rig, 'good.test', hello, server.port)).toBe(hello.toString('latin1'));
    expect(server.got()).toEqual(hello);
    await expect
      .poll(() => rig.events.at(-1))
      .toMatchObject({ kind: 'closed', host: 'good.test', bytesUp: hello.length });
    expect(reasons(rig)).toEqual(['allow null']);
  });

  it.each([
    ['of another host', helloFor('evil.test'), 'sni-mismatch'],
    ['of a host below it', helloFor('x.good.test'), 'sni-mismatch'],
    ['of a host that ends alike', helloFor('evilgood.test'), 'sni-mismatch'],
    ['of an address', helloFor('127.0.0.1'), 'sni-mismatch'],
    ['of no host name', helloFor('good_.test'), 'sni-mismatch'],
    ['without a name', helloFor(undefined), 'sni-missing'],
    ['with two names', recordsOf(helloMessage({ extensions: [serverName('good.test', 'evil.test')] })), 'sni-missing'],
    ['behind an alert', Buffer.concat([Buffer.from('15030300020100', 'hex'), HELLO]), 'sni-missing'],
    ['that ends before its end', HELLO.subarray(0, -1), 'sni-missing'],
  ])('is reset by a hello %s, and nothing of it was sent on', async (_name, hello, reason) => {
    const rig = await rigUnder({ sni: 'required' });
    const server = await farSide();
    expect(await startOf(rig, 'good.test', hello, server.port)).toBe('ECONNRESET');
    expect(reasons(rig)).toEqual(['allow null', `deny ${reason}`]);
    expect(rig.decisions().at(-1)).toMatchObject({ host: 'good.test', source: 'default', via: 'connect' });
    await expect.poll(() => rig.events.at(-1)).toMatchObject({ kind: 'closed', bytesUp: 0, bytesDown: 0 });
    expect(server.got()).toHaveLength(0);
  });

  it.each(['SSH-2.0-client\r\n', 'GET / HTTP/1.1\r\nHost: good.test\r\n\r\n', '\x80\x2e\x01\x03\x01', '\x16A'])(
    'is reset by another protocol: %j',
    async (text) => {
      const rig = await rigUnder({ sni: 'required' });
      const server = await farSide();
      expect(await startOf(rig, 'good.test', Buffer.from(text, 'latin1'), server.port, false)).toBe('ECONNRESET');
      expect(reasons(rig)).toEqual(['allow null', 'deny sni-missing']);
      expect(server.got()).toHaveLength(0);
    },
  );

  it('waits for a hello that comes a byte at a time, and keeps what the server says until then', async () => {
    const rig = await rigUnder({ sni: 'required' });
    const server = await farSide('greeting');
    const tunnel = await openTunnel(rig.proxyPort, `good.test:${server.port}`);
    tunnel.setNoDelay(true);
    let came = '';
    tunnel.resume().on('data', (part) => {
      came += part.toString('latin1');
    });
    for (const byte of HELLO.subarray(0, -1)) {
      tunnel.write(Uint8Array.of(byte));
      await new Promise((turn) => setImmediate(turn));
    }
    expect(came).toBe('');
    expect(server.got()).toHaveLength(0);
    tunnel.write(HELLO.subarray(-1));
    await expect.poll(() => came).toBe(`greeting${HELLO.toString('latin1')}`);
    tunnel.destroy();
  });

  it('ends, with a receipt, when no hello comes or one that does not end', async () => {
    const rig = await rigUnder({ sni: 'required' }, {}, { firstByteMs: 40, helloMs: 40 });
    const server = await farSide('only the server speaks');
    for (const bytes of [Buffer.alloc(0), HELLO.subarray(0, 1), HELLO.subarray(0, 60)]) {
      expect(await startOf(rig, 'good.test', bytes, server.port, false)).toBe('ECONNRESET');
      expect(reasons(rig).slice(-2)).toEqual(['allow null', 'deny sni-missing']);
    }
    expect(server.got()).toHaveLength(0);
  });

  it('is no denial when its client goes without a word', async () => {
    const rig = await rigUnder({ sni: 'required' });
    const server = await farSide();
    expect(await startOf(rig, 'good.test', Buffer.alloc(0), server.port)).toBe('');
    (await openTunnel(rig.proxyPort, `good.test:${server.port}`)).destroy();
    const hasty = connect({ port: rig.proxyPort, host: '127.0.0.1', allowHalfOpen: true });
    hasty.end(`CONNECT good.test:${server.port} HTTP/1.1\r\nHost: good.test\r\n\r\n`);
    await readAll(hasty);
    await expect.poll(() => rig.events.filter(({ kind }) => kind === 'closed')).toHaveLength(3);
    expect(new Set(reasons(rig))).toEqual(new Set(['allow null']));
  });

  it('takes a hello that came with the request, and says in the answer why one is refused', async () => {
    const rig = await rigUnder({ sni: 'required' });
    const server = await farSide();
    const request = `CONNECT good.test:${server.port} HTTP/1.1\r\nHost: good.test\r\n\r\n`;
    const ask = (hello: Buffer) => exchange(rig.proxyPort, Buffer.concat([Buffer.from(request), hello]), /good\.test/);
    expect(await ask(HELLO)).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\n\x16\x03/s);
    const refused = await ask(helloFor('evil.test'));
    expect(refused).toMatch(/^HTTP\/1\.1 403 egress denied: sni-mismatch\r\n/);
    expect(refused).toContain('gatekeeper-reason: sni-mismatch');
    expect(server.got()).toEqual(HELLO);
  });

  it('says that a server is not reachable as ever', async () => {
    const rig = await rigUnder({ sni: 'required' });
    const request = `CONNECT good.test:9 HTTP/1.1\r\nHost: good.test\r\n\r\n`;
    expect(bodyOf(await exchange(rig.proxyPort, request))).toMatchObject({ reason: 'unreachable' });
    const early = Buffer.concat([Buffer.from(request), HELLO]);
    expect(bodyOf(await exchange(rig.proxyPort, early))).toMatchObject({ reason: 'unreachable' });
  });

  it('opens nothing when the receipt of a refusal cannot be written', async () => {
    const rig = await rigUnder({ sni: 'required' });
    const server = await farSide();
    const tunnel = await openTunnel(rig.proxyPort, `good.test:${server.port}`);
    rig.recordFails = true;
    expect(await sent(tunnel, helloFor('evil.test'))).toBe('ECONNRESET');
    expect(server.got()).toHaveLength(0);
  });

  it('holds for redirected connections too', async () => {
    const rig = await rigUnder({ sni: 'required' }, { denied: ['evil.test'] });
    const server = await farSide();
    const open = async () => {
      const localPort = await freePort();
      const target = { address: '127.0.0.1', port: server.port };
      rig.announced = new Map([
        [`4:${localPort}`, { run: 'r', pid: 1, program: '/p', kind: 'transparent', ...target }],
      ]);
      return connect({ port: rig.transparentPort, host: '127.0.0.1', localPort, allowHalfOpen: true });
    };
    expect(await sent(await open(), HELLO)).toBe(HELLO.toString('latin1'));
    expect(await sent(await open(), helloFor('evil.test'), false)).toBe('ECONNRESET');
    expect(await sent(await open(), Buffer.from('SSH-2.0-x'), false)).toBe('ECONNRESET');
    expect(server.got()).toEqual(HELLO);
  });
});

describe('a tunnel for which TLS has to match', () => {
  it('lets the server speak first, and other protocols pass', async () => {
    const rig = await rigUnder({ sni: 'match' });
    const server = await farSide('220 ready\r\n');
    const tunnel = await openTunnel(rig.proxyPort, `good.test:${server.port}`);
    expect(await heard(tunnel)).toBe('220 ready\r\n');
    expect(await sent(tunnel, Buffer.from('HELO x'))).toBe('HELO x');
    expect(reasons(rig)).toEqual(['allow null']);
  });

  it.each([
    ['nothing at all', Buffer.alloc(0)],
    ['one byte that TLS begins with, and the end', Buffer.of(0x16)],
    ['the beginning of a hello, and the end', HELLO.subarray(0, 40)],
    ['such a byte with another after it', Buffer.from('\x16\x16')],
    ['a hello without a name', helloFor(undefined)],
    ['a hello with its name', HELLO],
  ])('passes on %s', async (_name, bytes) => {
    const rig = await rigUnder({ sni: 'match' });
    const server = await farSide();
    expect(await startOf(rig, 'good.test', bytes, server.port)).toBe(bytes.toString('latin1'));
    expect(server.got()).toEqual(bytes);
    expect(reasons(rig)).toEqual(['allow null']);
  });

  it.each([
    ['names another host', helloFor('evil.test'), 'sni-mismatch'],
    ['cannot be read in one way', recordsOf(helloMessage({ extensions: [[0, Buffer.alloc(3)]] })), 'sni-missing'],
    ['comes behind an alert', Buffer.concat([Buffer.from('15030300020100', 'hex'), HELLO]), 'sni-missing'],
    ['does not end', HELLO.subarray(0, 100), 'sni-missing'],
  ])('is reset by a hello that %s', async (_name, hello, reason) => {
    const rig = await rigUnder({ sni: 'match' }, {}, { helloMs: 60 });
    const server = await farSide();
    expect(await startOf(rig, 'good.test', hello, server.port, false)).toBe('ECONNRESET');
    expect(reasons(rig)).toEqual(['allow null', `deny ${reason}`]);
    expect(server.got()).toHaveLength(0);
    await expect.poll(() => rig.events.at(-1)).toMatchObject({ kind: 'closed', bytesUp: 0 });
  });
});

it('where anything may pass, nobody looks', async () => {
  const rig = await rigUnder({ sni: 'any' });
  const server = await farSide();
  const evil = helloFor('evil.test');
  expect(await startOf(rig, 'good.test', evil, server.port)).toBe(evil.toString('latin1'));
  expect(reasons(rig)).toEqual(['allow null']);
});

describe.each(['required', 'match'] as const)('a bare address (%s)', (sni) => {
  it('needs no name, and may be called by itself', async () => {
    const rig = await rigUnder({ sni });
    const server = await farSide();
    for (const hello of [helloFor(undefined), helloFor('127.0.0.1'), helloFor('127.1')]) {
      expect(await startOf(rig, '127.0.0.1', hello, server.port)).toBe(hello.toString('latin1'));
    }
    expect(new Set(reasons(rig))).toEqual(new Set(['allow null']));
  });

  it('has the name that TLS gives it in the receipt of its end', async () => {
    const rig = await rigUnder({ sni });
    const server = await farSide();
    await startOf(rig, '127.0.0.1', HELLO, server.port);
    await expect
      .poll(() => rig.events.at(-1))
      .toMatchObject({ kind: 'closed', host: 'good.test', known: 'sni', address: '127.0.0.1', bytesUp: HELLO.length });
    expect(rig.decisions()).toMatchObject([{ host: null, known: 'literal', address: '127.0.0.1' }]);
  });

  it('is refused by a rule against that name', async () => {
    const rig = await rigUnder({ sni }, { denied: ['evil.test'] });
    const server = await farSide();
    expect(await startOf(rig, '127.0.0.1', helloFor('Evil.test'), server.port, false)).toBe('ECONNRESET');
    const receipt = { verdict: 'deny', source: 'rule', rule: 3, reason: null, host: 'evil.test', known: 'sni' };
    expect(rig.decisions().at(-1)).toMatchObject({ ...receipt, address: '127.0.0.1', via: 'connect' });
    expect(server.got()).toHaveLength(0);
  });

  it('cannot be called by another address, or by what is no name', async () => {
    const rig = await rigUnder({ sni });
    const server = await farSide();
    for (const name of ['127.0.0.2', '2130706434', 'a_b.test', 'x..test']) {
      expect(await startOf(rig, '127.0.0.1', helloFor(name), server.port, false), name).toBe('ECONNRESET');
      expect(reasons(rig).at(-1), name).toBe('deny sni-mismatch');
    }
    expect(server.got()).toHaveLength(0);
  });
});

it('a simulated run that says nothing is told nothing', async () => {
  const rig = await rigUnder({ sni: 'required' });
  rig.simulate = true;
  const server = await farSide();
  expect(await startOf(rig, 'good.test', Buffer.alloc(0), server.port)).toBe('');
  expect(reasons(rig)).toEqual(['allow null']);
});

it('a simulated run is told what would be refused, and not held up', async () => {
  const rig = await rigUnder({ sni: 'required' }, { denied: ['evil.test'] });
  rig.simulate = true;
  const server = await farSide('first');
  for (const [host, bytes, reason] of [
    ['good.test', helloFor('other.test'), 'would-deny sni-mismatch'],
    ['good.test', Buffer.from('SSH-2.0-x'), 'would-deny sni-missing'],
    ['127.0.0.1', helloFor('evil.test'), 'would-deny null'],
  ] as const) {
    const tunnel = await openTunnel(rig.proxyPort, `${host}:${server.port}`);
    expect(await heard(tunnel)).toBe('first');
    expect(await sent(tunnel, bytes)).toBe(bytes.toString('latin1'));
    expect(reasons(rig).at(-1)).toBe(reason);
  }
});

describe('a tunnel whose requests are decided one by one', () => {
  const inspecting = async (image: Partial<TestImage>, limits = {}) => {
    const rig = await rigUnder({}, image, limits);
    const handed: Parameters<NonNullable<Rig['inspect']>>[0][] = [];
    rig.inspect = async (tunnel) => {
      handed.push(tunnel);
      tunnel.client.end('inspected');
    };
    return { rig, handed };
  };

  it('is handed over with what its client said, and nothing is decided, looked up or dialled for it', async () => {
    const { rig, handed } = await inspecting({ terms: { sni: 'match', inspect: true } });
    expect(await startOf(rig, 'good.test', HELLO, 9)).toBe('inspected');
    expect(await startOf(rig, 'good.test', Buffer.from('GET / HTTP/1.1\r\n'), 9)).toBe('inspected');
    expect(handed).toMatchObject([
      { hello: { serverName: 'good.test' }, destination: { host: { name: 'good.test' }, port: 9, known: 'connect' } },
      { hello: undefined, head: Buffer.from('GET / HTTP/1.1\r\n') },
    ]);
    expect(Buffer.from(handed[0]?.head ?? [])).toEqual(HELLO);
    expect([rig.events, rig.lookups]).toEqual([[], []]);
  });

  it('keeps to its host, and is over when its client goes without a word', async () => {
    const { rig, handed } = await inspecting({ terms: { sni: 'match', inspect: true } });
    expect(await startOf(rig, 'good.test', helloFor('evil.test'), 9, false)).toBe('ECONNRESET');
    expect(reasons(rig)).toEqual(['deny sni-mismatch']);
    expect(await startOf(rig, 'good.test', Buffer.alloc(0), 9)).toBe('');
    expect(handed).toEqual([]);
  });

  it('is handed over when its client stays silent', async () => {
    const { rig, handed } = await inspecting({ terms: { sni: 'match', inspect: true } }, { firstByteMs: 40 });
    expect(await startOf(rig, 'good.test', Buffer.alloc(0), 9, false)).toBe('inspected');
    expect(handed).toMatchObject([{ hello: undefined, head: { length: 0 } }]);
  });

  it('is reset when its inspection fails', async () => {
    const { rig } = await inspecting({ terms: { sni: 'match', inspect: true } });
    rig.inspect = () => Promise.reject(new Error('trouble'));
    expect(await startOf(rig, 'good.test', HELLO, 9, false)).toBe('ECONNRESET');
  });

  it('may be one to a bare address that TLS calls by such a name', async () => {
    const terms = (sni: 'required' | 'match') => (_image: TestImage, target: { name?: string }) => ({
      sni,
      inspect: target.name === 'good.test',
    });
    const { rig, handed } = await inspecting({ terms: terms('required') });
    const server = await farSide();
    expect(await startOf(rig, '127.0.0.1', HELLO, server.port)).toBe('inspected');
    expect(handed).toMatchObject([{ destination: { host: { name: 'good.test' }, known: 'sni', port: server.port } }]);
    // Where the server may have spoken already, it is too late.
    rig.image = { ...rig.image, terms: terms('match') };
    expect(await startOf(rig, '127.0.0.1', HELLO, server.port, false)).toBe('ECONNRESET');
    expect(reasons(rig)).toEqual(['allow null', 'allow null', 'deny not-inspected']);
    expect(handed).toHaveLength(1);
    expect(server.got()).toHaveLength(0);
  });
});

describe('a second hello, which a server of TLS 1.3 may ask for', () => {
  const changeCipher = Buffer.from('140303000101', 'hex');
  const early = Buffer.from('1703030004aabbccdd', 'hex');
  const alert = Buffer.from('1503030002015a', 'hex');

  it.each([
    ['right behind the first', []],
    ['behind a change of cipher', [changeCipher]],
    ['behind early data and alerts', [early, changeCipher, alert, early]],
  ])('has to name the same host: %s', async (_name, between) => {
    for (const sni of ['required', 'match'] as const) {
      const rig = await rigUnder({ sni });
      const server = await farSide();
      const front = Buffer.concat([HELLO, ...between]);
      const same = Buffer.concat([front, HELLO, early]);
      expect(await startOf(rig, 'good.test', same, server.port)).toBe(same.toString('latin1'));
      const before = server.got().length;
      for (const other of [
        helloFor('evil.test'),
        helloFor(undefined),
        recordsOf(helloMessage({ suites: Buffer.alloc(3) })),
      ]) {
        // All at once, as one who knows the server's answer beforehand, and in its turn.
        expect(await startOf(rig, 'good.test', Buffer.concat([front, other]), server.port, false)).toMatch(
          /ECONNRESET$/,
        );
        const tunnel = await openTunnel(rig.proxyPort, `good.test:${server.port}`);
        tunnel.write(front);
        await heard(tunnel);
        expect(await sent(tunnel, other, false)).toMatch(/ECONNRESET$/);
        expect(reasons(rig).at(-1)).toBe('deny sni-mismatch');
      }
      expect(server.got().subarray(before).includes('evil.test')).toBe(false);
    }
  });

  it('may come a byte at a time, or not to its end', async () => {
    const rig = await rigUnder({ sni: 'required' });
    const server = await farSide();
    const tunnel = await openTunnel(rig.proxyPort, `good.test:${server.port}`);
    tunnel.setNoDelay(true);
    const all = Buffer.concat([HELLO, changeCipher, HELLO, early, HELLO.subarray(0, 30)]);
    for (const byte of all) {
      tunnel.write(Uint8Array.of(byte));
      await new Promise((turn) => setImmediate(turn));
    }
    expect(await sent(tunnel, Buffer.alloc(0))).toBe(all.toString('latin1'));
    const cut = Buffer.concat([HELLO, changeCipher, HELLO.subarray(0, 30)]);
    expect(await startOf(rig, 'good.test', cut, server.port)).toBe(cut.toString('latin1'));
  });

  it('is no obstacle to real handshakes, with one and without', async () => {
    const context = new RunAuthority('test').contextFor({ name: 'good.test' });
    for (const [groups, hellos] of [
      ['P-384', 2],
      ['X25519', 1],
    ] as const) {
      const options = {
        SNICallback: (_name: string, give: (error: null, context: SecureContext) => void) => give(null, context),
      };
      const server = createServer({ ...options, ecdhCurve: groups }, (socket) => socket.pipe(socket));
      const port = await listening(server);
      let up = '';
      const wire = await tcp((socket) => {
        socket.on('data', (part) => {
          up += part.toString('latin1');
        });
        socket.pipe(connect(port, '127.0.0.1')).pipe(socket);
      });
      const rig = await rigUnder({ sni: 'required' });
      const socket = await openTunnel(rig.proxyPort, `good.test:${wire.port}`);
      const secure = connectTls({
        socket,
        servername: 'good.test',
        rejectUnauthorized: false,
        ecdhCurve: 'X25519:P-384',
      });
      const data = Buffer.alloc(300_000, 'x');
      secure.end(data);
      expect((await readAll(secure)).length).toBe(data.length);
      expect(up.split('good.test')).toHaveLength(hellos + 1);
      expect(reasons(rig)).toEqual(['allow null']);
      await closed(server);
    }
  });
});
