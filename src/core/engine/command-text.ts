/**
 * The canonical text of a command: words joined by one space; a word that is empty or holds a byte up to 0x20, 0x7f, a quote or a backslash is
 * wrapped in single quotes, and a single quote inside is written '\''.
 *
 * @param words program and arguments, as bytes
 */
export function canonicalCommand(words: readonly Uint8Array[]): Uint8Array {
  const out: number[] = [];
  words.forEach((word, index) => {
    if (index > 0) out.push(SPACE);
    if (word.length > 0 && !word.some(needsQuotes)) {
      for (const byte of word) out.push(byte);
      return;
    }
    out.push(QUOTE);
    for (const byte of word) {
      if (byte === QUOTE) out.push(QUOTE, BACKSLASH, QUOTE, QUOTE);
      else out.push(byte);
    }
    out.push(QUOTE);
  });
  return Uint8Array.from(out);
}

function needsQuotes(byte: number): boolean {
  return byte <= SPACE || byte === 0x7f || byte === QUOTE || byte === DOUBLE_QUOTE || byte === BACKSLASH;
}

const SPACE = 0x20;
const DOUBLE_QUOTE = 0x22;
const QUOTE = 0x27;
const BACKSLASH = 0x5c;
