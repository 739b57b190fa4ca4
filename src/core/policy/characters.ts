import type { ByteRange, CharacterSet } from './token.ts';

type CodeRange = readonly [low: number, high: number];

/** The set of the given code points, or with `negated` of all others, single stray bytes included; `/` only if `slash`. */
export function characterSet(ranges: readonly CodeRange[], negated: boolean, slash: boolean): CharacterSet {
  const listed = normalise(ranges);
  const wanted = negated ? complement(listed) : listed;
  const taken = slash ? wanted : without(wanted, 0x2f);
  return {
    key: `${negated ? '!' : ''}${slash ? '/' : ''}${taken.map(([low, high]) => `${low}-${high}`).join(',')}`,
    sequences: taken.flatMap(([low, high]) => utf8Sequences(low, high)),
    raw: negated,
  };
}

/**
 * Byte range sequences that together match exactly the UTF-8 forms of the code points from low to high (surrogates left
 * out): the range is cut where the length of the form changes and where a continuation byte does not run its full range.
 */
function utf8Sequences(low: number, high: number): ByteRange[][] {
  for (const border of LAST_OF_LENGTH) {
    if (low <= border && high > border) return [...utf8Sequences(low, border), ...utf8Sequences(border + 1, high)];
  }
  if (high <= 0x7f) return [[[low, high]]];
  for (const bits of [6, 12, 18]) {
    const mask = (1 << bits) - 1;
    if (low >> bits === high >> bits) continue;
    if ((low & mask) !== 0) return [...utf8Sequences(low, low | mask), ...utf8Sequences((low | mask) + 1, high)];
    if ((high & mask) !== mask)
      return [...utf8Sequences(low, (high & ~mask) - 1), ...utf8Sequences(high & ~mask, high)];
  }
  const first = encodeCodePoint(low);
  const last = encodeCodePoint(high);
  return [first.map((byte, index): ByteRange => [byte, last[index] ?? byte])];
}

function encodeCodePoint(point: number): number[] {
  if (point <= 0x7f) return [point];
  if (point <= 0x7ff) return [0xc0 | (point >> 6), 0x80 | (point & 0x3f)];
  if (point <= 0xffff) return [0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f)];
  return [0xf0 | (point >> 18), 0x80 | ((point >> 12) & 0x3f), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f)];
}

function normalise(ranges: readonly CodeRange[]): CodeRange[] {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const merged: [number, number][] = [];
  for (const [low, high] of sorted) {
    const last = merged.at(-1);
    if (last && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else merged.push([low, high]);
  }
  return merged.flatMap((range) => withoutSurrogates(range));
}

function complement(ranges: readonly CodeRange[]): CodeRange[] {
  const others: CodeRange[] = [];
  let next = 1; // NUL is never part of a path or an argument
  for (const [low, high] of ranges) {
    if (low > next) others.push([next, low - 1]);
    next = Math.max(next, high + 1);
  }
  if (next <= 0x10ffff) others.push([next, 0x10ffff]);
  return others.flatMap((range) => withoutSurrogates(range));
}

function without(ranges: readonly CodeRange[], point: number): CodeRange[] {
  return ranges.flatMap(([low, high]): CodeRange[] => {
    if (point < low || point > high) return [[low, high]];
    const around: CodeRange[] = [];
    if (low < point) around.push([low, point - 1]);
    if (high > point) around.push([point + 1, high]);
    return around;
  });
}

function withoutSurrogates([low, high]: CodeRange): CodeRange[] {
  const kept: CodeRange[] = [];
  if (low < 0xd800) kept.push([low, Math.min(high, 0xd7ff)]);
  if (high > 0xdfff) kept.push([Math.max(low, 0xe000), high]);
  return kept;
}

const LAST_OF_LENGTH = [0x7f, 0x7ff, 0xffff];
