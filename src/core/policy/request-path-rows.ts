import type { EffectName } from '../wire/messages.ts';
import { characterSet } from './characters.ts';
import { parseRequestPathPattern } from './path-pattern.ts';
import type { ByteRange, CharacterSet, Token } from './token.ts';

/**
 * A pattern for paths of requests, as a rule of that effect takes it: many servers take letters in either case, and what refuses has to hold for those.
 * @throws PatternProblem
 */
export function requestPathRows(text: string, effect: EffectName, warn: (text: string) => void): Token[][] {
  const rows = parseRequestPathPattern(text, warn);
  return effect === 'allow' || effect === 'shadow' ? rows : rows.map(inEitherCase);
}

function inEitherCase(tokens: readonly Token[]): Token[] {
  return tokens.flatMap((token): Token[] => {
    if (token.kind === 'bytes') return [...token.bytes].map(letterToken);
    return token.kind === 'set' ? [{ kind: 'set', set: widened(token.set) }] : [token];
  });
}

function letterToken(byte: number): Token {
  const other = otherCase(byte);
  if (other === byte) return { kind: 'bytes', bytes: Uint8Array.of(byte) };
  const low = Math.min(byte, other);
  const high = Math.max(byte, other);
  return {
    kind: 'set',
    set: characterSet(
      [
        [low, low],
        [high, high],
      ],
      false,
      false,
    ),
  };
}

function widened(set: CharacterSet): CharacterSet {
  const single = set.sequences.flatMap((sequence) => (sequence.length === 1 ? [sequence[0]!] : []));
  const has = (byte: number) => single.some(([low, high]) => low <= byte && byte <= high);
  const missing = Array.from({ length: 128 }, (_, byte) => byte).filter((byte) => !has(byte) && has(otherCase(byte)));
  const more = missing.map((byte): ByteRange[] => [[byte, byte]]);
  return more.length === 0 ? set : { ...set, key: `${set.key}~`, sequences: [...set.sequences, ...more] };
}

function otherCase(byte: number): number {
  const letter = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
  return letter ? byte ^ 0x20 : byte;
}
