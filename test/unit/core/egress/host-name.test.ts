import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAuthority, formatHost, parseAuthority, parsePort } from '../../../../src/core/egress/authority.ts';
import { parseHost, parseHostName } from '../../../../src/core/egress/host-name.ts';
import { parseAbsoluteTarget } from '../../../../src/core/egress/request-target.ts';

const canonical = (text: string) => {
  const host = parseHost(text);
  return host && formatHost(host);
};

describe('parseHost', () => {
  it.each([
    ['example.com', 'example.com'],
    ['EXAMPLE.Com', 'example.com'],
    ['example.com.', 'example.com'],
    ['bücher.de', 'xn--bcher-kva.de'],
    ['BÜCHER.de', 'xn--bcher-kva.de'],
    ['xn--bcher-kva.de', 'xn--bcher-kva.de'],
    ['ｅxample.com', 'example.com'],
    ['example。com', 'example.com'],
    ['localhost', 'localhost'],
    ['a--b.test', 'a--b.test'],
    ['127.1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['0x7f.1', '127.0.0.1'],
    ['0177.0.0.1', '127.0.0.1'],
    ['127.0.0.1.', '127.0.0.1'],
    ['①②⑦.0.0.1', '127.0.0.1'],
    ['[::1]', '[::1]'],
    ['[0:0::1]', '[::1]'],
    ['[::ffff:10.0.0.1]', '10.0.0.1'],
  ])('reads %s as %s', (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  it.each([
    '',
    '.',
    '..',
    'a..b',
    '.a',
    'a..',
    'a。。',
    ' a',
    'a ',
    'a\tb',
    'a\nb',
    'a\r',
    'a\0.b',
    'a\u00a0b',
    'user@a',
    'a:80',
    'a/b',
    'a\\b',
    'a%2eb',
    'a?b',
    'a#b',
    'a_b.test',
    '-a.test',
    'a-.test',
    'a.-b',
    '*.test',
    'a*b',
    'a,b',
    "a'b",
    'a\u00adb',
    'a\u200bb',
    'a\u202eb',
    'a\ud800b',
    'xn--a-ä.test',
    'xn--zzzzzz-.test',
    '1.2.3.4.5',
    '256.1.1.1',
    '1.2.3.09',
    'foo.1',
    'foo.0x1',
    '[a.test]',
    '[127.0.0.1]',
    '[::1',
    '::1',
    '[::1]]',
    '[fe80::1%eth0]',
    '[]',
    `${'a'.repeat(64)}.test`,
    `${'a.'.repeat(126)}aa`,
  ])('refuses %j', (text) => {
    expect(parseHost(text)).toBeUndefined();
  });

  it('writes only letters, digits, hyphens and single dots, and reads them back the same', () => {
    const odd = fc.string({ unit: 'binary', maxLength: 40 });
    const near = fc.stringMatching(/^[a-zA-Z0-9.\-_ßäÄıſ。．①\u00ad]{1,40}$/);
    fc.assert(
      fc.property(fc.oneof(odd, near, fc.domain(), fc.ipV4Extended(), fc.ipV6()), (text) => {
        const once = canonical(text);
        if (once === undefined) return;
        expect(canonical(once)).toBe(once);
        const name = parseHostName(text);
        if (name === undefined) return;
        expect(name).toMatch(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/);
        expect(name.length).toBeLessThanOrEqual(253);
      }),
      { numRuns: 3000 },
    );
  });

  it('accepts every ordinary domain', () => {
    fc.assert(
      fc.property(fc.domain(), (domain) => {
        expect(canonical(domain)).toBe(domain.toLowerCase());
      }),
    );
  });
});

describe('parseAuthority', () => {
  it.each([
    ['a.test:443', 'a.test:443'],
    ['A.TEST.:1', 'a.test:1'],
    ['[::1]:65535', '[::1]:65535'],
  ])('reads %s as %s', (text, expected) => {
    const authority = parseAuthority(text);
    expect(authority && formatAuthority(authority)).toBe(expected);
  });

  it.each([
    'a.test',
    'a.test:',
    ':80',
    'a.test:0',
    'a.test:65536',
    'a.test:080',
    'a.test:+80',
    'a.test:8e1',
    'a.test:80:90',
    '::1:80',
    'a.test: 80',
    'bücher.de:80',
    'a.test:80\n',
  ])('refuses %j', (text) => {
    expect(parseAuthority(text)).toBeUndefined();
  });

  it('uses the default port only where none is written', () => {
    expect(parseAuthority('a.test', 80)).toMatchObject({ port: 80 });
    expect(parseAuthority('a.test:', 80)).toBeUndefined();
    expect(formatAuthority(parseAuthority('a.test:80') as never, 80)).toBe('a.test');
  });

  it('reads exactly the decimal ports', () => {
    fc.assert(
      fc.property(fc.integer({ min: -10, max: 70_000 }), (n) => {
        expect(parsePort(String(n))).toBe(n >= 1 && n <= 65_535 ? n : undefined);
      }),
    );
  });
});

describe('parseAbsoluteTarget', () => {
  it.each([
    ['http://a.test', { port: 80, path: '/', query: '' }],
    ['HTTP://a.test/', { port: 80, path: '/', query: '' }],
    ['http://a.test?x', { port: 80, path: '/', query: '?x' }],
    ['http://a.test:81/p/../q?x=/?', { port: 81, path: '/p/../q', query: '?x=/?' }],
    ['http://a.test//b', { port: 80, path: '//b', query: '' }],
  ])('takes %s apart', (text, expected) => {
    expect(parseAbsoluteTarget(text)).toMatchObject({ host: { name: 'a.test' }, ...expected });
  });

  it.each([
    'a.test',
    '/x',
    'http:a.test',
    'http:/a.test',
    'http:///a.test',
    'https://a.test',
    'http://u@a.test/',
    'http://u:p@a.test/',
    'http://a.test#f',
    'http://a.test:/',
    'http://a.test\\/',
    ' http://a.test',
  ])('refuses %j', (text) => {
    expect(parseAbsoluteTarget(text)).toBeUndefined();
  });
});
