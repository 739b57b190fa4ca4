import { describe, expect, it } from 'vitest';
import { isSameDestination, meantDestination } from '../../../../src/core/analysis/meant-destination.ts';

describe('meantDestination', () => {
  it.each([
    ['https://api.example.com/v1?x=1', 'api.example.com:443'],
    ['http://user:secret@API.example.com:8080/', 'api.example.com:8080'],
    ['git+ssh://git@code.example/a.git', 'code.example:22'],
    ['https://[2001:db8::1]/', '[2001:db8::1]:443'],
    ['git@code.example:org/project.git', 'code.example:22'],
    ['me@code.example', 'code.example'],
    ['code.example/org', 'code.example'],
    ['code.example:8443/org', 'code.example:8443'],
    ['code.example:https', 'code.example:443'],
    ['2001:db8::1', '[2001:db8::1]'],
    ['fd00::/8', '[fd00::]/8'],
    ['.example.com', '*.example.com'],
    ['*example.com:443', '*.example.com:443'],
  ])('reads %s as %s', (typed, meant) => {
    expect(meantDestination(typed)).toBe(meant);
  });

  it.each(['', '://', 'a b', 'https://', 'a.*.example', 'https://a..b/', '10.0.0.1/8', 'x:y:z', '\u202ehttps://x'])(
    'guesses nothing of %j',
    (typed) => {
      expect(meantDestination(typed)).toBeUndefined();
    },
  );
});

describe('isSameDestination', () => {
  it.each([
    ['A.Example:443', 'a.example:443', true],
    ['a.example', 'a.example:*', true],
    ['a.example', 'a.example:443', false],
    ['[2001:DB8::1]:1', '[2001:db8:0::1]:1', true],
    ['*.a.example', 'a.example', false],
    ['not a destination', 'not a destination', true],
    ['not a destination', 'a.example', false],
  ])('of %s and %s says %s', (one, other, same) => {
    expect(isSameDestination(one, other)).toBe(same);
  });
});
