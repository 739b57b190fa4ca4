import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byteText, wellFormed } from '../../../../src/core/audit/byte-text.ts';

describe('bytes as text', () => {
  test.each<[string, number[], ReturnType<typeof byteText>]>([
    ['valid UTF-8 stands as it is', [...Buffer.from('/a\\ü€😀')], { text: '/a\\ü€😀' }],
    ['a byte order mark is kept', [0xef, 0xbb, 0xbf, 0x61], { text: '\ufeffa' }],
    ['a stray byte is escaped', [0x61, 0xff, 0x62], { text: 'a\\xffb', bytes: 'Yf9i' }],
    ['a backslash beside a stray byte is doubled', [0x5c, 0x78, 0xff], { text: '\\\\x\\xff', bytes: 'XHj/' }],
    ['an overlong form is escaped', [0xc0, 0xaf], { text: '\\xc0\\xaf', bytes: 'wK8=' }],
    ['a surrogate is escaped', [0xed, 0xa0, 0x80], { text: '\\xed\\xa0\\x80', bytes: '7aCA' }],
    ['a cut sequence is escaped', [0xe2, 0x82], { text: '\\xe2\\x82', bytes: '4oI=' }],
    ['valid text beside a stray byte stays readable', [0xc3, 0xbc, 0xff], { text: 'ü\\xff', bytes: 'w7z/' }],
  ])('%s', (_name, bytes, expected) => {
    expect(byteText(Uint8Array.from(bytes))).toEqual(expected);
  });

  test('gives different texts for different bytes, and the bytes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ maxLength: 12 }), (a, b) => {
        const [x, y] = [byteText(a), byteText(b)];
        if (Buffer.compare(a, b) !== 0) expect(x).not.toEqual(y);
        expect(x.bytes === undefined ? Buffer.from(x.text) : Buffer.from(x.bytes, 'base64')).toEqual(Buffer.from(a));
      }),
      { numRuns: 3000 },
    );
  });

  test('lone surrogates are replaced where text comes from elsewhere', () => {
    expect(wellFormed('a\ud800b😀')).toBe('a\ufffdb😀');
  });
});
