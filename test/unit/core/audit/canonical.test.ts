import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonical, parseCanonical } from '../../../../src/core/audit/canonical.ts';

const value = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.maxSafeInteger(),
  fc.boolean(),
);
const record = fc.dictionary(fc.stringMatching(/^[a-z][A-Za-z0-9]{0,8}$/), value);

describe('canonical form', () => {
  test('sorts members and leaves out what is undefined', () => {
    expect(canonical({ b: 1, a: 'é\u2028"\n', c: undefined, aB: true })).toBe('{"a":"é\u2028\\"\\n","aB":true,"b":1}');
  });

  test.each<[string, Record<string, unknown>]>([
    ['a fraction', { a: 1.5 }],
    ['an unsafe integer', { a: 2 ** 53 }],
    ['a lone surrogate', { a: 'x\ud800' }],
    ['nesting', { a: {} }],
    ['null', { a: null }],
    ['a numeric name', { 1: 'a' }],
  ])('refuses %s', (_name, input) => {
    expect(() => canonical(input)).toThrow(RangeError);
  });

  test('is what parsing accepts, and gives the record back', () => {
    fc.assert(
      fc.property(record, (input) => {
        const line = canonical(input);
        expect(parseCanonical(line)).toEqual(input);
        expect(canonical(parseCanonical(line) as Record<string, unknown>)).toBe(line);
      }),
    );
  });

  test.each([
    ['white space', '{"a": 1}'],
    ['another order', '{"b":1,"a":2}'],
    ['a member twice', '{"a":1,"a":1}'],
    ['another spelling of a text', '{"a":"\\u0041"}'],
    ['another spelling of a number', '{"a":1e0}'],
    ['minus zero', '{"a":-0}'],
    ['an escaped slash', '{"a":"\\/"}'],
    ['a lone surrogate', '{"a":"\\ud800"}'],
    ['nesting', '{"a":[1]}'],
    ['a numeric name', '{"1":1}'],
    ['__proto__', '{"__proto__":1}'],
    ['a trailing blank', '{"a":1} '],
  ])('parsing refuses %s', (_name, line) => {
    expect(parseCanonical(line)).toBe('other-form');
  });

  test.each(['', '{', '[]', '1', 'null', '"a"', '\0'])('parsing takes %j for no record', (line) => {
    expect(parseCanonical(line)).toBeUndefined();
  });
});
