import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { visible, visibleShort } from '../../../../src/core/text/visible.ts';

describe('visible', () => {
  it.each([
    ['plain text stays', '/home/u/my project/(a) [b].txt', '/home/u/my project/(a) [b].txt'],
    ['letters of other scripts stay', '/home/ü/文書/данные', '/home/ü/文書/данные'],
    ['an escape sequence is shown', '\x1b[2K\rAllow /tmp?', '\\x1b[2K\\x0dAllow /tmp?'],
    ['a line feed cannot start a line', 'a\ngatekeeper: allowed', 'a\\x0agatekeeper: allowed'],
    ['a C1 control is shown', 'a\u009b31mb', 'a\\x9b31mb'],
    ['a right-to-left override is shown', 'evil\u202Etxt.exe', 'evil\\u{202e}txt.exe'],
    ['zero width characters are shown', 'a\u200bb\u200dc\ufeffd', 'a\\u{200b}b\\u{200d}c\\u{feff}d'],
    ['tag characters are shown', 'a\u{e0041}', 'a\\u{e0041}'],
    ['a no-break space is not a space', 'a\u00a0b', 'a\\xa0b'],
    ['a Hangul filler is shown', 'a\u3164b', 'a\\u{3164}b'],
    ['a lone surrogate is shown', 'a\ud800b', 'a\\u{d800}b'],
    ['a backslash that starts nothing stays', 'grep \\.ts', 'grep \\.ts'],
    ['a backslash that looks like an escape is doubled', 'a\\x1b', 'a\\\\x1b'],
    ['a backslash before an escape is doubled', 'a\\\x1b', 'a\\\\\\x1b'],
  ])('%s', (_name, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it('never lets through what a terminal acts on', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  it('shows different texts differently', () => {
    const tricky = fc
      .array(fc.constantFrom('\\', 'x', 'u', '1', 'b', '{', '}', '\x1b', '\u200b', 'a'))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(tricky, tricky, (one, other) => {
        if (one !== other) expect(visible(one)).not.toBe(visible(other));
      }),
      { numRuns: 5000 },
    );
  });
});

describe('visibleShort', () => {
  it('keeps head and tail of a long argument and says how much is left out', () => {
    expect(visibleShort(`${'a'.repeat(300)}; rm -rf /`, 20)).toBe(`${'a'.repeat(14)} …[290 more]…  -rf /`);
  });
  it('does not cut what fits', () => {
    expect(visibleShort('short', 20)).toBe('short');
  });
});
