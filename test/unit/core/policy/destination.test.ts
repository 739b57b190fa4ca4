import { describe, expect, it } from 'vitest';
import { parseDestination } from '../../../../src/core/policy/destination.ts';

const short = (text: string) => {
  const { kind, host, prefixLength, portLow, portHigh } = parseDestination(text);
  return [kind, host, prefixLength, portLow, portHigh];
};

describe('parseDestination', () => {
  it.each([
    ['*', [0, '', 0, 0, 65535]],
    ['*:443', [0, '', 0, 443, 443]],
    ['API.Example.COM', [1, 'api.example.com', 0, 0, 65535]],
    ['example.com.:443', [1, 'example.com', 0, 443, 443]],
    ['example.com:*', [1, 'example.com', 0, 0, 65535]],
    ['bücher.example', [1, 'xn--bcher-kva.example', 0, 0, 65535]],
    ['*.example.com:80-90', [2, 'example.com', 0, 80, 90]],
    ['localhost:3000', [4, '', 0, 3000, 3000]],
    ['127.0.0.1', [3, '', 128, 0, 65535]],
    ['10.0.0.0/8:5432', [3, '', 104, 5432, 5432]],
    ['0.0.0.0/0', [3, '', 96, 0, 65535]],
    ['[::1]:22', [3, '', 128, 22, 22]],
    ['[2001:db8::]/32:443', [3, '', 32, 443, 443]],
  ])('reads %s', (text, parts) => {
    expect(short(text)).toEqual(parts);
  });

  it.each([
    '',
    'http://example.com',
    'example.com/path',
    'user@example.com',
    'exa mple.com',
    'example..com',
    'example.com..',
    '*.',
    'a.*.com',
    '*example.com',
    '**.example.com',
    'example.com:0',
    'example.com:65536',
    'example.com:90-80',
    'example.com:443:80',
    'example.com:http',
    'example.com:',
    '0177.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '1.2.3.4/33',
    '1.2.3.4/8',
    '1.2.3.256',
    '::1',
    '[::1',
    '[1.2.3.4]',
    '[fe80::1%eth0]',
    '[::1]/129',
    'good.com\0.evil.com',
    'good%2ecom',
  ])('refuses %j', (text) => {
    expect(() => parseDestination(text)).toThrow();
  });
});
