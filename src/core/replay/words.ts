/** The part of a path behind its last slash. */
export const baseName = (path: Uint8Array): Uint8Array => path.subarray(path.lastIndexOf(0x2f) + 1);

/** What follows the first word of a command's canonical text (engine/command-text.ts), with the blank before it. */
export function withoutFirstWord(command: Uint8Array): Uint8Array {
  let at = 0;
  for (let quoted = false; at < command.length; at++) {
    const byte = command[at];
    // Outside of quotes stands `\'` in the middle of a word that has one.
    if (!quoted && byte === BACKSLASH) at++;
    else if (byte === QUOTE) quoted = !quoted;
    else if (byte === BLANK && !quoted) break;
  }
  return command.subarray(at);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const startsWith = (bytes: Uint8Array, start: Uint8Array): boolean =>
  start.every((byte, at) => bytes[at] === byte);

const BACKSLASH = 0x5c;
const QUOTE = 0x27;
const BLANK = 0x20;
