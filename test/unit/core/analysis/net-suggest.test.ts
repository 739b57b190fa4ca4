import { describe, expect, it } from 'vitest';
import { type Attempt, suggestRules } from '../../../../src/core/analysis/net-suggest.ts';
import { formatAuthority } from '../../../../src/core/egress/authority.ts';
import type { Host } from '../../../../src/core/egress/host-name.ts';

const denied = (fields: Attempt): Attempt => ({
  verdict: 'deny',
  source: 'default',
  reason: 'no-rule',
  via: 'connect',
  port: 443,
  ...fields,
});

describe('what was refused for want of a rule', () => {
  it('is suggested by its exact name, with the ports that were tried, the most frequent first', () => {
    const { rules } = suggestRules([
      denied({ destination: 'b.example', program: '/usr/bin/pip' }),
      denied({ destination: 'a.example', port: 80, program: '/usr/bin/curl' }),
      denied({ destination: 'a.example', program: '/usr/bin/git' }),
      denied({ destination: 'a.example', count: 3, program: '/usr/bin/curl' }),
    ]);
    expect(rules).toEqual([
      {
        host: 'a.example',
        destinations: ['a.example:80', 'a.example:443'],
        assumed: false,
        attempts: 5,
        programs: ['curl', 'git'],
      },
      { host: 'b.example', destinations: ['b.example:443'], assumed: false, attempts: 1, programs: ['pip'] },
    ]);
  });

  it('counts in a simulation too, where it happened all the same', () => {
    expect(suggestRules([denied({ destination: 'a.example', verdict: 'would-deny' })]).rules).toHaveLength(1);
    expect(suggestRules([denied({ destination: 'a.example', verdict: 'allow' })]).rules).toEqual([]);
  });

  it('is one range where ports are neighbours', () => {
    const tried = [8002, 8000, 9000, 8001].map((port) => denied({ destination: 'a.example', port }));
    expect(suggestRules(tried).rules[0]?.destinations).toEqual(['a.example:8000-8002', 'a.example:9000']);
  });

  it('gets the port of HTTPS when the name alone was asked for, unless a port was tried as well', () => {
    const asked = denied({ destination: 'a.example', via: 'dns', port: 53 });
    expect(suggestRules([asked]).rules).toMatchObject([{ destinations: ['a.example:443'], assumed: true }]);
    const tried = denied({ destination: 'a.example', port: 22 });
    expect(suggestRules([asked, tried]).rules).toMatchObject([{ destinations: ['a.example:22'], assumed: false }]);
  });

  it('gets the usual port of a program that has one, beside those that others tried', () => {
    const asked = (program: string) => denied({ destination: 'a.example', via: 'dns', port: undefined, program });
    const { rules } = suggestRules([asked('/usr/bin/ssh'), asked('/usr/bin/psql')]);
    expect(rules).toMatchObject([{ destinations: ['a.example:22', 'a.example:5432'], assumed: true }]);
    const git = denied({ destination: 'a.example', program: '/usr/lib/git-core/git-remote-http' });
    expect(suggestRules([git, asked('/usr/bin/ssh')]).rules[0]).toMatchObject({
      destinations: ['a.example:22', 'a.example:443'],
      assumed: true,
    });
    const known = denied({ destination: 'a.example', port: 22, program: '/usr/bin/nc' });
    expect(suggestRules([known, asked('/usr/bin/ssh')]).rules[0]?.assumed).toBe(false);
  });

  it('may be an address on the public internet, which a supervisor refused', () => {
    const { via: _, ...direct } = denied({ destination: '2606:2800:220:1::1', port: 81, syscall: 'connect' });
    expect(suggestRules([direct]).rules[0]?.destinations).toEqual(['[2606:2800:220:1::1]:81']);
  });
});

it('suggests no whole host for one request of which others are allowed', () => {
  const { rules, notSuggested } = suggestRules([denied({ destination: 'api.example', via: 'inspect' })]);
  expect(rules).toEqual([]);
  expect(notSuggested).toMatchObject([
    { destination: 'api.example:443', because: expect.stringContaining('widen methods or paths'), command: null },
  ]);
});

it('says what helps a program that cannot be inspected', () => {
  const { notSuggested } = suggestRules([
    denied({ destination: 'api.example', source: 'internal', reason: 'authority-refused' }),
  ]);
  expect(notSuggested[0]?.because).toMatch(
    /does not trust .*; have it trust .* or say "inspect: false" with "override/,
  );
});

describe('a name that a resolver made with a search domain', () => {
  const asked = (destination: string) => denied({ destination, via: 'dns', port: undefined });

  it('is not suggested beside the one that was meant', () => {
    const names = ['api.example', 'api.example.corp.example', 'api.example.cluster.local'];
    const { rules, notSuggested } = suggestRules(names.map(asked), {
      searchDomains: ['corp.example', 'cluster.local'],
    });
    expect(rules.map(({ host }) => host)).toEqual(['api.example']);
    expect(notSuggested.map(({ destination, command }) => [destination, command])).toEqual([
      ['api.example.cluster.local', 'gatekeeper net allow api.example.cluster.local:443'],
      ['api.example.corp.example', 'gatekeeper net allow api.example.corp.example:443'],
    ]);
  });

  it('is suggested when it is the whole of a short name, or was connected to', () => {
    const { rules } = suggestRules([asked('wiki.corp.example'), denied({ destination: 'a.b.corp.example' })], {
      searchDomains: ['corp.example'],
    });
    expect(rules.map(({ host }) => host)).toEqual(['a.b.corp.example', 'wiki.corp.example']);
  });
});

describe('a pattern for everything beneath a name', () => {
  const wider = (...hosts: string[]) =>
    suggestRules(hosts.map((destination) => denied({ destination }))).wider.map(({ destination }) => destination);

  it('is offered for hosts beneath one name', () => {
    expect(wider('a.cdn.example.com', 'b.cdn.example.com', 'x.example.com')).toEqual(['*.cdn.example.com:443']);
    expect(wider('a.example.com', 'b.example.com')).toEqual(['*.example.com:443']);
  });

  it.each([
    ['a single host', ['a.example.com']],
    ['names beneath a top-level domain', ['one.example', 'two.example']],
    ['names beneath what is as good as one', ['one.co.uk', 'two.co.uk']],
    ['names that strangers may have', ['one.github.io', 'two.github.io']],
    ['addresses', ['8.8.8.8', '8.8.4.8', '9.8.4.8']],
  ])('is not offered for %s', (_name, hosts) => {
    expect(wider(...hosts)).toEqual([]);
  });
});

describe('what is not suggested', () => {
  it.each<[string, Attempt, object]>([
    [
      'what a rule denies',
      { source: 'rule', rule: 'user:policy.yaml:7', destination: 'a.example' },
      { why: 'rule', because: 'user:policy.yaml:7', command: null },
    ],
    [
      'what a rule asks about, which a grant answers',
      { source: 'silence', reason: 'ask-unanswered', rule: 'user:policy.yaml:9', destination: 'a.example' },
      { why: 'ask', because: 'user:policy.yaml:9', command: 'gatekeeper grants add network a.example:443' },
    ],
    [
      'a private address behind a name',
      { reason: 'special-address', destination: 'a.example', address: '10.1.2.3' },
      { why: 'private', destination: 'a.example:443', command: 'gatekeeper net allow 10.1.2.3:443' },
    ],
    [
      'a private address',
      { destination: 'fd00::1' },
      { why: 'private', command: 'gatekeeper net allow [fd00::1]:443', because: expect.stringContaining('(ula)') },
    ],
    [
      'a service of this machine',
      { destination: '127.0.0.1', port: 3000, via: undefined, syscall: 'connect' },
      { why: 'private', command: 'gatekeeper net allow localhost:3000' },
    ],
    [
      'the address where clouds hand out credentials',
      { destination: '169.254.169.254', port: 80 },
      { why: 'metadata', command: null },
    ],
    [
      'the same behind a name',
      { reason: 'special-address', destination: 'a.example', address: '169.254.169.254' },
      { why: 'metadata', command: null },
    ],
    [
      'an address of this machine that is not private',
      { reason: 'own-address', destination: 'a.example', address: '93.184.216.34' },
      { why: 'private', command: 'gatekeeper net allow 93.184.216.34:443' },
    ],
    [
      'a request that an inspecting rule leaves out, which a rule for the whole host would let through',
      { via: 'inspect', destination: 'a.example', method: 'DELETE', path: '/v1/x' },
      { why: 'requests', because: expect.stringContaining('DELETE /v1/x'), command: null },
    ],
    [
      'another name in the first bytes',
      { reason: 'sni-mismatch', destination: 'a.example' },
      { why: 'other', because: expect.stringContaining('name another host'), command: null },
    ],
    ['where to listen', { destination: '10.0.0.1', via: undefined, syscall: 'bind' }, { why: 'other', command: null }],
    [
      'trouble of gatekeeper',
      { source: 'internal', reason: 'journal-failed', destination: 'a.example' },
      { why: 'other' },
    ],
    ['what is no host', { destination: 'socket of family 40', via: undefined }, { why: 'other', command: null }],
  ])('is %s', (_name, fields, expected) => {
    const { rules, notSuggested } = suggestRules([denied(fields)]);
    expect(rules).toEqual([]);
    expect(notSuggested).toEqual([expect.objectContaining(expected)]);
  });

  it('is a place of which a rule opens a part', () => {
    const attempts = [
      denied({ destination: 'a.example', port: 80, via: 'http' }),
      denied({ destination: 'b.example' }),
    ];
    const limitedBy = (host: Host, port: number) =>
      formatAuthority({ host, port }) === 'a.example:80' ? 'user:p.yaml:3' : undefined;
    const { rules, notSuggested } = suggestRules(attempts, { limitedBy });
    expect(rules.map(({ host }) => host)).toEqual(['b.example']);
    expect(notSuggested).toMatchObject([{ why: 'requests', because: expect.stringContaining('user:p.yaml:3') }]);
  });
});
