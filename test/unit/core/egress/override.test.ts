import { describe, expect, it } from 'vitest';
import { asksForAnother } from '../../../../src/core/egress/override.ts';

describe('a request for another method or path than those of its request line', () => {
  it.each([
    'x-http-method-override',
    'x-method-override',
    'x-original-url',
    // As variables of the server's programs these are the same (RFC 3875, 4.1.18).
    'x_http_method_override',
    'x-http_method-override',
    'x_original_url',
    'x.rewrite.url',
    'x-original-method',
    'x-original-uri',
    'x-http-method',
  ])('by the header %s', (name) => {
    expect(asksForAnother({ headers: ['host', name], query: '' })).toBe(true);
  });

  it.each([
    '?_method=DELETE',
    '?a=1&%5Fmethod=DELETE',
    '?a=1;_METHOD=DELETE',
    '?$httpMethod=DELETE',
    // PHP passes over spaces in front, reads dots, spaces and an open bracket as underscores, and leaves off what stands behind a bracket or a null byte.
    '?.method=DELETE',
    '?%20_method=DELETE',
    '?+_method=DELETE',
    '?%5Bmethod=DELETE',
    '?_method[]=DELETE',
    '?_method%00x=DELETE',
    '?%5fmethod%00%ff=DELETE',
    '?x.http-method-override=DELETE',
  ])('by the query %s', (query) => {
    expect(asksForAnother({ headers: [], query })).toBe(true);
  });

  it.each(['', '?', '?method=GET', '?q=_method', '?my_method=1', '?%zz=1', '?payment_method=card'])(
    'not by %j',
    (query) => {
      expect(
        asksForAnother({
          headers: ['accept', 'x-forwarded-for', 'x_custom', 'x-http-method-overrides', 'x-original-user'],
          query,
        }),
      ).toBe(false);
    },
  );
});
