/**
 * The path of an HTTP request as rules are held against it: percent-encoded octets decoded (RFC 3986, 2.1), no trailing slash, the root as `/`.
 * Undefined when servers read it differently: dot segments, empty segments, parameters, encoded separators, and what is not UTF-8 (some decode an
 * overlong slash). Then no rule that loosens matches.
 */
export function canonicalRequestPath(text: string): Uint8Array | undefined {
  if (!PLAIN.test(text)) return undefined;
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '%') {
      bytes.push(text.charCodeAt(at));
      continue;
    }
    const byte = Number.parseInt(text.slice(at + 1, at + 3), 16);
    if (byte < 0x20 || byte === 0x7f || SEPARATORS.includes(byte)) return undefined;
    bytes.push(byte);
    at += 2;
  }
  if (bytes.length > 1 && bytes.at(-1) === SLASH) bytes.pop();
  const segments = String.fromCharCode(...bytes.slice(0, LONGEST))
    .split('/')
    .slice(1);
  const odd =
    bytes.length > LONGEST ||
    (segments.some((name) => name === '' || name === '.' || name === '..') && bytes.length > 1);
  const path = Uint8Array.from(bytes);
  return odd || !isUtf8(path) ? undefined : path;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** A slash first, then visible ASCII without backslash and parameters, each % with its two digits. */
const PLAIN = /^\/(?:[!-$&-:<-[\]-~]|%[0-9a-fA-F]{2})*$/;
/** `%`, `/`, `;`, `\`, `?` and `#`. */
const SEPARATORS: readonly number[] = [0x25, 0x2f, 0x3b, 0x5c, 0x3f, 0x23];
const SLASH = 0x2f;
const LONGEST = 8192;
