import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/core/egress/address.ts';
import { askSocks, SOCKS_GREETING, socksConnect } from '../support/socks.ts';
import { exchange, freePort, type Rig, readAll, startRig } from './egress-rig.ts';

/** One table of how a host may be written, held against every door: they must read it alike, or refuse it alike. */
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  rig.image = { names: [], ranges: [] };
  rig.events.length = 0;
  rig.lookups.length = 0;
});

type Door = 'http' | 'upgrade' | 'connect' | 'socks';
const bytesFor: Record<Exclude<Door, 'socks'>, (host: string) => string> = {
  http: (host) => `GET http://${host}:8080/ HTTP/1.1\r\nHost: ${host}:8080\r\nConnection: close\r\n\r\n`,
  upgrade: (host) =>
    `GET http://${host}:8080/ HTTP/1.1\r\nHost: ${host}:8080\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
  connect: (host) => `CONNECT ${host}:8080 HTTP/1.1\r\nHost: ${host}:8080\r\n\r\n`,
};

/** The door's word: `malformed` when nobody was asked about the host, `denied` when the policy was. */
async function wordOf(door: Door, host: string): Promise<string> {
  if (door === 'socks') {
    const asked = Buffer.concat([SOCKS_GREETING, socksConnect(Buffer.from(host), 8080)]);
    const { code, socket } = await askSocks(rig.proxyPort, asked);
    socket.destroy();
    return { 0: 'open', 1: 'malformed', 2: 'denied' }[code ?? -1] ?? `code ${code}`;
  }
  const answer = await exchange(rig.proxyPort, Buffer.from(bytesFor[door](host)), /^HTTP\/1\.1 200/);
  return { '200': 'open', '400': 'malformed', '403': 'denied' }[answer.slice(9, 12)] ?? answer;
}

describe.each(['http', 'upgrade', 'connect', 'socks'] as const)('a host at the door %s', (door) => {
  it.each([
    ['evil.test\0.good.test', 'a NUL'],
    ['good.test\rx', 'a carriage return'],
    ['good.test\nx', 'a line feed'],
    ['good.test\tx', 'a tab'],
    ['good.test x', 'a blank'],
    ['user@good.test', 'a user'],
    ['user:secret@good.test', 'a user with a password'],
    ['good.test\\.evil.test', 'a backslash'],
    ['good%2etest', 'an escape'],
    ['good%00.test', 'an escaped NUL'],
    ['[good.test]', 'a name in brackets'],
    ['[127.0.0.1]', 'an IPv4 address in brackets'],
    ['::1', 'an IPv6 address without brackets'],
    ['[::1', 'an open bracket'],
    ['[fe80::1%25eth0]', 'a zone'],
    ['[fe80::1%lo]', 'a zone that is not escaped'],
    ['[::ffff:127.1]', 'a short IPv4 address in an IPv6 one'],
    ['[::127.0.0.01]', 'a part with a zero in front'],
    ['good..test', 'an empty label'],
    ['.good.test', 'a dot in front'],
    ['good.test..', 'two dots behind'],
    ['.', 'a dot alone'],
    ['-good.test', 'a hyphen in front'],
    ['good-.test', 'a hyphen behind'],
    ['good_bad.test', 'an underscore'],
    ['*.good.test', 'a wildcard'],
    ['good.test,evil.test', 'a comma'],
    ['good.test;evil.test', 'a semicolon'],
    ['1.2.3.4.5', 'five parts'],
    ['256.0.0.1', 'a part that is too large'],
    ['127.0.0.08', 'an octal digit that is none'],
    ['0x100000000', 'a number that is too large'],
    ['good.test.1', 'a last label of digits'],
    ['g\u00f6\u00f6d.test', 'letters beyond ASCII'],
    ['\u2460\u2461\u2466.0.0.1', 'digits in circles'],
    ['good\u3002test', 'an ideographic full stop'],
    ['good\u200b.test', 'a space of no width'],
    ['go\u00adod.test', 'a soft hyphen'],
    ['xn--a', 'punycode of nothing'],
    [`${'a'.repeat(64)}.test`, 'a long label'],
    [`${'a.'.repeat(125)}test`, 'a long name'],
  ])('is refused unread: %j (%s)', async (host) => {
    expect(await wordOf(door, host)).toBe('malformed');
    expect([rig.events, rig.lookups]).toEqual([[], []]);
  });

  it.each([
    ['good.test', 'good.test'],
    ['GOOD.Test', 'good.test'],
    ['good.test.', 'good.test'],
    ['xn--gd-fka.test', 'xn--gd-fka.test'],
    ['good.test.evil', 'good.test.evil'],
    ['evilgood.test', 'evilgood.test'],
    ['localhost', 'localhost'],
    ['127.1', '127.0.0.1'],
    ['127.0.1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['0x7f000001', '127.0.0.1'],
    ['0X7F.1', '127.0.0.1'],
    ['017700000001', '127.0.0.1'],
    ['0177.0.0.1', '127.0.0.1'],
    ['127.0.0.1.', '127.0.0.1'],
    ['[::ffff:127.0.0.1]', '127.0.0.1'],
    ['[::FFFF:7F00:1]', '127.0.0.1'],
    ['[0:0:0:0:0:ffff:7f00:0001]', '127.0.0.1'],
    ['[0:0:0:0:0:0:0:1]', '::1'],
    ['[::127.0.0.1]', '::7f00:1'],
    ['0', '0.0.0.0'],
  ])('is one host however it is written: %j is %s', async (host, canonical) => {
    expect(await wordOf(door, host)).toBe('denied');
    const receipts = rig.decisions().map((event) => event.host ?? event.address);
    expect(receipts).toEqual([canonical]);
    expect(rig.lookups).toEqual([]);
  });

  it.each(SPECIAL())('is not reached by a rule for everything when it is %s', async (host) => {
    rig.image = { names: ['*'], ranges: [], defaultAllow: true };
    expect(await wordOf(door, host)).toBe('denied');
    expect(rig.decisions()).toMatchObject([{ verdict: 'deny', reason: 'special-address', port: 8080 }]);
  });
});

// The kernel's own addresses come as numbers; other spellings cannot be announced.
const REDIRECTED = SPECIAL().flatMap(([host = '']) => {
  const address = host.replace(/^\[|\]$/g, '');
  return parseAddress(address) ? [[address] as const] : [];
});
it.each(REDIRECTED)('a redirected connection is no way either to %s', async (address) => {
  rig.image = { names: ['*'], ranges: [], defaultAllow: true };
  const localPort = await freePort();
  const announced = { run: 'r', pid: 1, program: '/p', kind: 'transparent', address, port: 8080 } as const;
  rig.announced = new Map([[`4:${localPort}`, announced]]);
  const socket = connect({ port: rig.transparentPort, host: '127.0.0.1', localPort });
  await expect(readAll(socket)).rejects.toMatchObject({ code: 'ECONNRESET' });
  rig.announced = undefined;
  expect(rig.decisions()).toMatchObject([{ verdict: 'deny', reason: 'special-address' }]);
});

/** Places that nobody means by "everything", in the spellings that have reached them through other proxies. */
function SPECIAL(): string[][] {
  return [
    ...['127.0.0.1', '127.0.0.2', '127.1', '2130706433', '0x7f.1', '017700000001', '0', '0.0.0.0', '0.1.2.3'],
    ...['[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:0:127.0.0.1]', '[::127.0.0.1]', '[64:ff9b::7f00:1]'],
    ...['[2002:7f00:1::]', '[2001:0:0:0:0:0:80ff:fffe]', '[fe80::5efe:7f00:1]', '[64:ff9b::a9fe:a9fe]'],
    ...['169.254.169.254', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '169.254.43518', '[::ffff:a9fe:a9fe]'],
    ...[
      '[2002:a9fe:a9fe::1]',
      '[fd00:ec2::254]',
      '168.63.129.16',
      '100.100.100.200',
      '10.0.0.1',
      '192.168.1',
      '100.64.0.1',
    ],
    ...['[fe80::1]', '[fc00::1]', '[ff02::1]', '224.0.0.251', '255.255.255.255'],
  ].map((host) => [host]);
}
