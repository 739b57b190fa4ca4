import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../src/adapters/proxy/egress-event.ts';
import { RunNames } from '../../src/adapters/proxy/names.ts';
import { TYPE } from '../../src/core/dns/message.ts';
import { type Answer, ask, framed, MESSAGE, OPT, question } from '../support/dns-client.ts';
import { closingAfterEach, exchange, freePort, type Rig, readAll } from './egress-rig.ts';

const { open, rigWith, echo } = closingAfterEach();

const AN_HOUR = 3_600_000;
const SOME = { names: ['good.test', 'www.good.test'], ranges: ['127.0.0.'], denied: ['bad.test'] };

/** A connection of a run, as its supervisor would announce and redirect it. */
async function redirected(rig: Rig, address: string, port: number, run = 'r1'): Promise<Socket> {
  const connection: Connection = { run, pid: 9, program: '/bin/p', kind: 'transparent', address, port };
  rig.announced ??= new Map();
  for (;;) {
    const localPort = await freePort();
    rig.announced.set(`4:${localPort}`, connection);
    const socket = connect({ host: '127.0.0.1', port: rig.transparentPort, localPort, allowHalfOpen: true });
    const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      socket.on('error', resolve);
      socket.once('connect', () => resolve(undefined));
    });
    open.push(() => void socket.destroy());
    // Otherwise somebody else took the port meanwhile. A reset may come as early as this, and is for the test to see.
    if (error?.code !== 'EADDRINUSE') return socket;
  }
}

const resolver = (rig: Rig, run?: string) => redirected(rig, '198.18.0.1', 53, run);
const one = async (rig: Rig, name: string, type: number, run?: string): Promise<Answer> =>
  (await ask(await resolver(rig, run), [question(name, type)]))[0]!;
const addressOf = async (rig: Rig, name: string, run?: string) => (await one(rig, name, TYPE.A, run)).answers[0]?.data;

describe('a question for a name', () => {
  it('that may be reached is answered with an address that stands for it, without a receipt and without a lookup', async () => {
    const rig = await rigWith(SOME);
    const socket = await resolver(rig);
    const [v4, v6, again] = await ask(socket, [
      question('Good.TEST', TYPE.A, { id: 1 }),
      question('good.test', TYPE.AAAA, { id: 2 }),
      question('good.test', TYPE.A, { id: 3, additional: [OPT()] }),
    ]);
    expect(v4).toMatchObject({ id: 1, rcode: 0, questions: [{ name: 'Good.TEST' }] });
    expect(v4!.answers).toEqual([{ name: 'Good.TEST', type: 1, ttl: 60, data: '198.18.0.2' }]);
    expect(v6!.answers).toMatchObject([{ type: 28, data: '2001:2::c612:2' }]);
    expect(again).toMatchObject({ id: 3, answers: [{ data: '198.18.0.2' }], opt: {} });
    expect(await addressOf(rig, 'www.good.test')).toBe('198.18.0.3');
    expect(rig.events).toEqual([]);
    expect(rig.lookups).toEqual([]);
  });

  it('that may not be reached is told that there is none, with one receipt for a look-up', async () => {
    const rig = await rigWith(SOME, { refusedAgainMs: AN_HOUR });
    const names = ['bad.test', 'other.test', 'bad.test'];
    const answers = await ask(
      await resolver(rig),
      names.flatMap((name) => [question(name, TYPE.A), question(name, TYPE.AAAA)]),
    );
    expect(answers.map(({ rcode, answers: found }) => [rcode, found.length])).toEqual(Array(6).fill([3, 0]));
    const common = { run: 'r1', pid: 9, program: '/bin/p', via: 'dns', known: 'dns', address: null, port: null };
    expect(rig.decisions()).toMatchObject([
      { ...common, host: 'bad.test', verdict: 'deny', source: 'rule', rule: 3, reason: null },
      { ...common, host: 'other.test', verdict: 'deny', source: 'default', rule: null, reason: 'no-rule' },
    ]);
    expect((await one(rig, 'bad.test', TYPE.A)).rcode).toBe(3);
    expect(rig.decisions()).toHaveLength(2);
    expect(rig.lookups).toEqual([]);
  });

  it('that may not be reached is on record as it was asked for, not as a resolver completed it', async () => {
    const rig = await rigWith(SOME, { refusedAgainMs: AN_HOUR });
    for (const name of ['no.test', 'no.test.corp.test', 'only.corp.test', 'no.test.other.test'])
      expect((await one(rig, name, TYPE.A)).rcode).toBe(3);
    expect(rig.decisions().map(({ host }) => host)).toEqual(['no.test', 'only.corp.test', 'no.test.other.test']);
  });

  it('in a simulated run is answered, and a receipt says that it would not have been', async () => {
    const rig = await rigWith(SOME);
    rig.simulate = true;
    expect(await addressOf(rig, 'bad.test')).toBe('198.18.0.2');
    expect(rig.decisions()).toMatchObject([{ host: 'bad.test', verdict: 'would-deny', via: 'dns', rule: 3 }]);
  });

  it('that no host can have is told that there is none, and is on record so that every byte shows', async () => {
    const rig = await rigWith({ names: ['*'], ranges: [] });
    const names = ['_acme-challenge.good.test', 'evil\0.good.test', '\x1b[2J.test', 'b\xfc.test', '127.0.0.1'];
    const dotted = MESSAGE({ rest: [9, ...Buffer.from('evil.good'), 4, ...Buffer.from('test'), 0, 0, 1, 0, 1] });
    const answers = await ask(await resolver(rig), [...names.map((name) => question(name, TYPE.A)), dotted]);
    expect(answers.map(({ rcode }) => rcode)).toEqual(Array(6).fill(3));
    expect(rig.decisions().map(({ host, reason, verdict }) => [host, reason, verdict])).toEqual(
      [
        '_acme-challenge.good.test',
        'evil\\x00.good.test',
        '\\x1b[2J.test',
        'bü.test',
        '127.0.0.1',
        'evil\\x2egood.test',
      ].map((host) => [host, 'no-host-name', 'deny']),
    );
  });

  it('for localhost is answered as every machine does, whatever the policy says', async () => {
    const rig = await rigWith({ names: [], ranges: [] });
    expect(await addressOf(rig, 'localhost')).toBe('127.0.0.1');
    expect(await addressOf(rig, 'app.localhost')).toBe('127.0.0.1');
    expect((await one(rig, 'LOCALHOST', TYPE.AAAA)).answers).toMatchObject([{ data: '::1' }]);
    expect((await one(rig, '1.0.0.127.in-addr.arpa', TYPE.PTR)).answers).toMatchObject([{ data: 'localhost' }]);
    expect(await addressOf(rig, 'localhost.test')).toBeUndefined();
    expect(rig.decisions().map(({ host }) => host)).toEqual(['localhost.test']);
  });

  it('for other things than an address is empty where the name may be reached, and takes up no address', async () => {
    const rig = await rigWith(SOME);
    const [ns, mx, txt, srv, https, any] = [2, 15, 16, 33, 65, 255];
    for (const type of [ns, mx, txt, srv, https, any, TYPE.PTR]) {
      expect(await one(rig, 'good.test', type!)).toMatchObject({ rcode: 0, answers: [] });
      expect(await one(rig, 'bad.test', type!)).toMatchObject({ rcode: 3, answers: [] });
    }
    expect(await one(rig, '', ns!)).toMatchObject({ rcode: 0, answers: [] });
    expect(await addressOf(rig, 'www.good.test')).toBe('198.18.0.2');
  });

  it('that an address stands for is answered with the name, in that run alone', async () => {
    const rig = await rigWith(SOME);
    expect(await addressOf(rig, 'good.test')).toBe('198.18.0.2');
    const v6 = `${[...'200100020000000000000000c6120002'].reverse().join('.')}.ip6.arpa`;
    for (const name of ['2.0.18.198.in-addr.arpa', v6])
      expect((await one(rig, name, TYPE.PTR)).answers).toMatchObject([{ type: 12, data: 'good.test' }]);
    expect(await one(rig, '2.0.18.198.in-addr.arpa', TYPE.PTR, 'r2')).toMatchObject({ rcode: 3, answers: [] });
    expect(await one(rig, '3.0.18.198.in-addr.arpa', TYPE.PTR)).toMatchObject({ rcode: 3, answers: [] });
  });
});

describe('what is no question', () => {
  it('is told so, and the connection goes on', async () => {
    const rig = await rigWith(SOME);
    const [update, twice, chaos, pointer, later, fine] = await ask(await resolver(rig), [
      MESSAGE({ id: 1, flags: 0x2800 }),
      MESSAGE({ id: 2, counts: [2, 0, 0, 0] }),
      MESSAGE({ id: 3, rest: [4, ...Buffer.from('good'), 4, ...Buffer.from('test'), 0, 0, 1, 0, 3] }),
      MESSAGE({ id: 4, rest: [0xc0, 12, 0, 1, 0, 1] }),
      question('good.test', TYPE.A, { id: 5, additional: [OPT({ version: 1 })] }),
      question('good.test', TYPE.A, { id: 6 }),
    ]);
    expect([update, twice, chaos, pointer, later, fine].map((answer) => [answer!.id, answer!.rcode])).toEqual([
      [1, 4],
      [2, 1],
      [3, 5],
      [4, 1],
      [5, 16],
      [6, 0],
    ]);
  });

  it('and cannot be answered ends the connection behind the answers that are due', async () => {
    const rig = await rigWith(SOME);
    const due = question('good.test', TYPE.A);
    for (const last of [MESSAGE({ flags: 0x8180 }), Uint8Array.of(1, 2, 3)])
      expect(await ask(await resolver(rig), [due, last, due], 3)).toHaveLength(1);
    const socket = await resolver(rig);
    socket.write(Uint8Array.of(0xff, 0xff, 0));
    expect(await readAll(socket)).toBe('');
  });
});

describe('the resolver of a run', () => {
  it('answers in whatever pieces questions come, and to a client that has ended its side', async () => {
    const rig = await rigWith(SOME);
    const socket = await resolver(rig);
    const message = question('good.test', TYPE.A);
    for (const byte of [0, message.length, ...message.slice(0, -1)]) {
      socket.write(Uint8Array.of(byte));
      await new Promise((turn) => setImmediate(turn));
    }
    socket.end(message.slice(-1));
    expect(await ask(socket, [], 99)).toMatchObject([{ answers: [{ data: '198.18.0.2' }] }]);
  });

  it('takes so many questions on a connection and no more', async () => {
    const rig = await rigWith(SOME, { questionsPerConnection: 3 });
    expect(await ask(await resolver(rig), Array(5).fill(question('good.test', TYPE.A)), 5)).toHaveLength(3);
  });

  it('hangs up on a client that goes on after the last answer', async () => {
    const rig = await rigWith(SOME, { questionsPerConnection: 1 });
    const socket = await resolver(rig);
    const gone = new Promise((resolve) => socket.once('close', resolve));
    const feed = setInterval(() => socket.write(framed(question('good.test', TYPE.A))), 20);
    socket.resume();
    await gone;
    clearInterval(feed);
  });

  it('hangs up on a client that says nothing', async () => {
    const rig = await rigWith(SOME, { nameIdleMs: 50 });
    const socket = await resolver(rig);
    socket.write(Uint8Array.of(0));
    await new Promise((resolve) =>
      socket
        .once('close', resolve)
        .resume()
        .once('end', () => socket.end()),
    );
  });

  it('does not read what it cannot answer: a client that takes nothing is not served on', async () => {
    const rig = await rigWith(SOME, { questionsPerConnection: 1_000_000, nameIdleMs: 300, refusedAgainMs: AN_HOUR });
    const socket = await resolver(rig);
    const long = `${Array(60).fill('bad').join('.')}.test`;
    expect(await ask(socket, [question(long, TYPE.A)])).toMatchObject([{ rcode: 3 }]);
    const many = Buffer.concat(Array(400).fill(framed(question(long, TYPE.A))));
    // Once the buffers of both sides are full nothing more is taken, and the connection counts as quiet.
    const gone = new Promise((resolve) => socket.once('close', resolve));
    const feed = () => {
      while (!socket.destroyed && socket.write(many));
      socket.once('drain', feed);
    };
    feed();
    await gone;
    expect(rig.decisions()).toHaveLength(1);
  });

  it('answers on the resolver port alone', async () => {
    const rig = await rigWith({ names: ['*'], ranges: [], defaultAllow: true });
    for (const [address, port] of [
      ['198.18.0.1', 54],
      ['198.18.0.0', 53],
      ['2001:2::c612:1', 853],
    ] as const)
      await expect(readAll(await redirected(rig, address, port))).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(rig.decisions().map(({ reason }) => reason)).toEqual(Array(3).fill('synthetic-address'));
    const twin = await redirected(rig, '2001:2::c612:1', 53);
    expect(await ask(twin, [question('a.test', TYPE.A)])).toMatchObject([{ rcode: 0 }]);
  });

  it('gives nothing that is not on record: no refusal, no address', async () => {
    const rig = await rigWith(SOME);
    rig.recordFails = true;
    expect(await one(rig, 'bad.test', TYPE.A)).toMatchObject({ rcode: 2, answers: [] });
    rig.recordFails = false;
    expect(await one(rig, 'bad.test', TYPE.A)).toMatchObject({ rcode: 3 });
  });

  it('has a bound on names, and says so', async () => {
    const rig = await rigWith({ names: ['*'], ranges: [] }, {}, new RunNames(undefined, 2));
    const answers = await ask(
      await resolver(rig),
      ['a.test', 'b.test', 'c.test', 'c.test', 'a.test'].map((name) => question(name, TYPE.A)),
    );
    expect(answers.map(({ rcode, answers: found }) => [rcode, found[0]?.data])).toEqual([
      [0, '198.18.0.2'],
      [0, '198.18.0.3'],
      [2, undefined],
      [2, undefined],
      [0, '198.18.0.2'],
    ]);
    expect(rig.decisions()).toMatchObject([
      { host: 'c.test', reason: 'resources', source: 'internal', verdict: 'deny' },
    ]);
    expect(await addressOf(rig, 'c.test', 'r2')).toBe('198.18.0.2');
  });
});

describe('a connection to an address that stands for a name', () => {
  it('is decided, resolved once and recorded by that name', async () => {
    const server = await echo();
    const rig = await rigWith(SOME);
    for (const address of [await addressOf(rig, 'good.test'), '2001:2::c612:2']) {
      const socket = await redirected(rig, address!, server.port);
      socket.end('through');
      expect(await readAll(socket)).toBe('through');
    }
    const told = { host: 'good.test', address: '127.0.0.1', port: server.port, via: 'transparent', known: 'dns' };
    expect(rig.decisions()).toMatchObject([
      { ...told, verdict: 'allow' },
      { ...told, verdict: 'allow' },
    ]);
    expect(rig.lookups).toEqual(['good.test', 'good.test']);
  });

  it('means its name to the proxy as well, for programs that resolve before they ask one', async () => {
    const server = await echo();
    const rig = await rigWith(SOME);
    const { port } = server;
    expect(await addressOf(rig, 'good.test')).toBe('198.18.0.2');
    rig.announced = undefined;
    const authority = `198.18.0.2:${port}`;
    const connect = `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`;
    expect(await exchange(rig.proxyPort, connect, /\r\n\r\n/)).toMatch(/^HTTP\/1\.1 200 /);
    const socks = Buffer.from([5, 1, 0, 5, 1, 0, 1, 198, 18, 0, 2, port >> 8, port & 0xff]);
    expect(await exchange(rig.proxyPort, socks, /^\x05\x00\x05./s)).toMatch(/^\x05\x00\x05\x00/);
    const told = { host: 'good.test', address: '127.0.0.1', port, known: 'dns', verdict: 'allow' };
    expect(rig.decisions()).toMatchObject([
      { ...told, via: 'connect' },
      { ...told, via: 'socks' },
    ]);
  });

  it('is refused when the name is by now, and when the address stands for nothing in the run', async () => {
    const rig = await rigWith(SOME);
    const address = (await addressOf(rig, 'good.test'))!;
    rig.image = { ...SOME, denied: ['good.test'] };
    await expect(readAll(await redirected(rig, address, 443))).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect(readAll(await redirected(rig, address, 443, 'r2'))).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(rig.decisions()).toMatchObject([
      { host: 'good.test', verdict: 'deny', rule: 3, known: 'dns' },
      { host: null, address, verdict: 'deny', reason: 'synthetic-address', known: 'literal' },
    ]);
    expect(rig.lookups).toEqual([]);
  });
});

describe('the names of a run', () => {
  const directory = () => {
    const path = mkdtempSync(join(tmpdir(), 'gk-names-'));
    open.push(() => rmSync(path, { recursive: true }));
    return path;
  };

  it('are there again for a daemon that comes back', async () => {
    const at = directory();
    const before = await rigWith({ names: ['*'], ranges: [] }, {}, new RunNames(() => at));
    expect([await addressOf(before, 'a.test'), await addressOf(before, 'b.test')]).toEqual([
      '198.18.0.2',
      '198.18.0.3',
    ]);
    expect(readFileSync(join(at, 'names'), 'utf8')).toBe('a.test\nb.test\n');
    // A write that a kill cut short; its question was never answered.
    writeFileSync(join(at, 'names'), 'a.test\nb.test\nhalf');
    const rig = await rigWith({ names: ['*'], ranges: ['127.0.0.'] }, {}, new RunNames(() => at));
    const server = await echo();
    const socket = await redirected(rig, '198.18.0.3', server.port);
    socket.end('b');
    expect(await readAll(socket)).toBe('b');
    expect(rig.decisions()).toMatchObject([{ host: 'b.test', known: 'dns' }]);
    expect(await addressOf(rig, 'a.test')).toBe('198.18.0.2');
    expect(await addressOf(rig, 'c.test')).toBe('198.18.0.4');
    expect(readFileSync(join(at, 'names'), 'utf8')).toBe('a.test\nb.test\nc.test\n');
  });

  it('that cannot be kept are not given', async () => {
    const rig = await rigWith({ names: ['*'], ranges: [] }, {}, new RunNames(() => '/nonexistent/run'));
    expect(await one(rig, 'a.test', TYPE.A)).toMatchObject({ rcode: 2, answers: [] });
    expect(rig.decisions()).toMatchObject([{ host: 'a.test', reason: 'journal-failed', verdict: 'deny' }]);
  });
});
