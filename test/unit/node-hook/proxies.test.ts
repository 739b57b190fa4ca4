import { expect, it } from 'vitest';
import { isBypassed, proxiesOf } from '../../../src/node-hook/proxies.ts';

it('proxies of this machine are taken from the variables, the lower case first', () => {
  expect(
    proxiesOf({ HTTP_PROXY: 'http://127.0.0.1:1', http_proxy: 'http://[::1]:2/', HTTPS_PROXY: 'http://localhost:3' }),
  ).toEqual({
    http: { host: '::1', port: 2 },
    https: { host: 'localhost', port: 3 },
    bypass: [],
  });
});

it.each([
  '',
  'http://proxy.example:80',
  'https://127.0.0.1:1',
  'http://u:p@127.0.0.1:1',
  'http://127.0.0.1',
  'http://127.0.0.1:1/x',
])('others are left to the program: %j', (HTTPS_PROXY) => {
  expect(proxiesOf({ HTTPS_PROXY })).toBe(undefined);
});

it.each<[string, string, number, boolean]>([
  ['localhost,127.0.0.1,::1', 'localhost', 80, true],
  ['localhost,127.0.0.1,::1', 'LOCALHOST', 80, true],
  ['localhost,127.0.0.1,::1', '127.0.0.1', 80, true],
  ['localhost,127.0.0.1,::1', '[::1]', 80, true],
  ['localhost,127.0.0.1,::1', '::1', 80, true],
  ['localhost,127.0.0.1,::1', 'a.localhost', 80, false],
  ['a.test', 'a.test', 80, true],
  ['a.test', 'b.a.test', 80, false],
  ['a.test', 'ba.test', 80, false],
  ['.a.test', 'b.a.test', 80, true],
  ['.a.test', 'a.test', 80, true],
  ['.a.test', 'ba.test', 80, false],
  ['*.a.test', 'b.a.test', 80, true],
  ['a.test:8080', 'a.test', 8080, true],
  ['a.test:8080', 'a.test', 80, false],
  ['[::1]:8080', '[::1]', 8080, true],
  ['[::1]:8080', '[::1]', 80, false],
  ['x  a.test', 'a.test', 80, true],
  ['*', 'anything.test', 80, true],
  ['', 'a.test', 80, false],
])('no_proxy %j and %s:%i', (no_proxy, host, port, expected) => {
  const proxies = proxiesOf({ no_proxy, http_proxy: 'http://127.0.0.1:1' })!;
  expect(isBypassed(proxies, host, port)).toBe(expected);
});
