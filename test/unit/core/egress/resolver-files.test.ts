import { describe, expect, it } from 'vitest';
import { type Address, formatAddress } from '../../../../src/core/egress/address.ts';
import { parseHostName } from '../../../../src/core/egress/host-name.ts';
import { hostsFile, MOST_LISTED, resolvConf, searchDomainsIn } from '../../../../src/core/egress/resolver-files.ts';

/** Without the comment that says who made it. */
const lines = (text: string): string[] => {
  expect(text).toMatch(/^# Made by gatekeeper[^\n]*\n.*\n$/s);
  return text.split('\n').slice(1, -1);
};

describe('resolv.conf of a run', () => {
  const resolver = 'nameserver 198.18.0.1';
  const options = 'options use-vc timeout:3 attempts:2';

  it.each<[string, string | undefined, string[]]>([
    ['nothing there', undefined, [resolver, options]],
    ['an empty file', '', [resolver, options]],
    ['name servers alone', 'nameserver 10.0.0.1\nnameserver fe80::1%eth0\nnameserver ::1\n', [resolver, options]],
    ['a search list', 'search corp.example example.com\n', [resolver, 'search corp.example example.com', options]],
    ['a domain', 'domain corp.example\n', [resolver, 'domain corp.example', options]],
    [
      'several of them, of which the last counts',
      'search a.test b.test\ndomain c.test\nsearch d.test\n',
      [resolver, 'search d.test', options],
    ],
    [
      'comments, tabs and line ends of another system',
      '; x\r\n#search n.test\r\nsearch\ta.test \tb.test # no\r\n',
      [resolver, 'search a.test b.test', options],
    ],
    ['options', 'options ndots:5 rotate timeout:30\noptions edns0 trust-ad\n', [resolver, `${options} ndots:5`]],
    ['options twice', 'options ndots:5\noptions ndots:2', [resolver, `${options} ndots:2`]],
    ['an odd number of dots', 'options ndots:-1 ndots:99999 ndots:x', [resolver, options]],
    ['no line end', 'search a.test', [resolver, 'search a.test', options]],
    ['odd suffixes', 'search a..test \x1b[2J . a.test b/c _tcp.test\n', [resolver, 'search a.test _tcp.test', options]],
    ['nothing but odd suffixes', 'search a.test\nsearch \x1b[2J', [resolver, 'search a.test', options]],
    ['a byte that ends texts', 'search a.test\0\nsearch b.test\0 c.test\n', [resolver, options]],
    [
      'more than anybody writes',
      `search ${'a.test '.repeat(1000)}\n${'#\n'.repeat(5000)}search b.test\n`,
      [resolver, options],
    ],
  ])('from %s', (_what, real, expected) => {
    expect(lines(resolvConf(real))).toEqual(expected);
  });
});

describe('hosts of a run', () => {
  const named = (...names: string[]) => names.map((name, at) => ({ name: parseHostName(name)!, number: at + 2 }));
  const isOwn = (address: Address) => formatAddress(address) === '172.17.0.2';
  const nowhere = () => false;
  const local = ['127.0.0.1\tlocalhost', '::1\tlocalhost'];

  it.each<[string, string | undefined, string[]]>([
    ['nothing there', undefined, local],
    ['an empty file', '', local],
    [
      'loopback lines, as they are, with tabs, comments and aliases',
      '127.0.0.1 \tlocalhost  lh # me\n::1\tlocalhost ip6-localhost\n127.0.1.1\tvm.example vm\n',
      ['127.0.0.1 \tlocalhost  lh # me', '::1\tlocalhost ip6-localhost', '127.0.1.1\tvm.example vm'],
    ],
    [
      'lines that lead elsewhere',
      '10.0.0.5 internal\nff02::1 ip6-allnodes\n0.0.0.0 ads.test\n127.1 odd\nfe80::1%lo x\n',
      local,
    ],
    ['an address of an interface', '172.17.0.2 5fca1a2b\n172.17.0.3 other\n', [...local, '172.17.0.2 5fca1a2b']],
    ['loopback without localhost', '127.0.1.1 vm\n', [...local, '127.0.1.1 vm']],
    [
      'comments and line ends of another system',
      '# 127.0.0.1 a\r\n127.0.0.1 LocalHost\r\n\r\n',
      ['127.0.0.1 LocalHost'],
    ],
    ['a byte that ends texts', '127.0.0.1 localhost\n127.0.0.1 a\0b\n', ['127.0.0.1 localhost']],
    ['a huge file', `127.0.0.1 localhost\n${'10.0.0.1 x\n'.repeat(100_000)}127.0.0.1 late\n`, ['127.0.0.1 localhost']],
  ])('from %s', (_what, real, expected) => {
    expect(lines(hostsFile(real, [], isOwn, nowhere))).toEqual(expected);
  });

  it('have a line for each name, with the address that stands for it', () => {
    expect(lines(hostsFile('127.0.0.1 localhost\n', named('a.test', 'b.test'), isOwn, nowhere))).toEqual([
      '127.0.0.1 localhost',
      '198.18.0.2\ta.test',
      '198.18.0.3\tb.test',
    ]);
  });

  it('leave to this machine what the user leads to it', () => {
    const real = '127.0.0.1 localhost A.test\n10.0.0.9 b.test\n';
    expect(lines(hostsFile(real, named('a.test', 'b.test'), isOwn, nowhere))).toEqual([
      '127.0.0.1 localhost A.test',
      '198.18.0.3\tb.test',
    ]);
  });

  it('lead where the user does when a rule names that address, but for names that are spoken of otherwise', () => {
    const real =
      '127.0.0.1 localhost here.test\n10.0.0.9 db.test DB a.test # mine\n10.0.0.9 here.test odd_name\n10.1.0.1 other.test\n';
    const tens = (name: string, address: Address) => formatAddress(address).startsWith('10.0.') && name !== 'db';
    expect(lines(hostsFile(real, named('a.test'), isOwn, tens))).toEqual([
      '127.0.0.1 localhost here.test',
      '10.0.0.9\tdb.test',
      '198.18.0.2\ta.test',
    ]);
  });

  it('are bounded', () => {
    const many = Array.from({ length: MOST_LISTED + 9 }, (_, at) => `n${at}.test`);
    expect(lines(hostsFile(undefined, named(...many), isOwn, nowhere))).toHaveLength(MOST_LISTED + 2);
  });
});

describe('what resolvers append to names', () => {
  it.each([
    ['search Corp.test office.test.', ['corp.test', 'office.test']],
    ['domain corp.test\nnameserver 192.0.2.1', ['corp.test']],
    ['search first.test\nsearch last.test # the last counts', ['last.test']],
    ['search .', []],
    [undefined, []],
  ])('is in %j', (file, domains) => expect(searchDomainsIn(file)).toEqual(domains));
});
