/** Inclusive range of byte values. */
export type ByteRange = readonly [low: number, high: number];

/** A set of characters: each sequence of byte ranges is the UTF-8 form of some of them. */
export type CharacterSet = {
  /** Equal sets have equal keys. */
  key: string;
  sequences: readonly (readonly ByteRange[])[];
  /** Whether it takes a single byte that belongs to no valid UTF-8 sequence as well. */
  raw: boolean;
};

/**
 * What a pattern is made of once it is parsed. `star`: any bytes but slashes; `plus`: the same, one at least; `globstar`: any number of
 * whole components and the slash before the next one; `tail`: this path and everything beneath it (last token only); `any`: any
 * bytes at all (commands).
 */
export type Token =
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'set'; set: CharacterSet }
  | { kind: 'star' | 'plus' | 'globstar' | 'tail' | 'any' };
