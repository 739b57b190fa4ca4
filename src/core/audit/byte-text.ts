/** Bytes from the kernel (paths, programs, commands) as text for a record. */
export type ByteText = { text: string; bytes?: string };

/**
 * Valid UTF-8 stands as it is. Anything else is escaped without loss (bytes that do not belong as `\xNN`, the backslash
 * doubled) and comes with its bytes in base64, so that two different names never look the same.
 */
export function byteText(bytes: Uint8Array): ByteText {
  try {
    return { text: UTF8.decode(bytes) };
  } catch {
    return { text: escapeBytes(bytes), bytes: base64(bytes) };
  }
}

/** Replaces lone surrogates, which have no UTF-8 and so no canonical form, by the replacement character. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

function escapeBytes(bytes: Uint8Array): string {
  let out = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length === 0) out += `\\x${bytes[at]!.toString(16).padStart(2, '0')}`;
    else out += bytes[at] === BACKSLASH ? '\\\\' : UTF8.decode(bytes.subarray(at, at + length));
    at += length || 1;
  }
  return out;
}

/** Length of the valid UTF-8 sequence that starts here; 0 when none does. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length < 2) return length;
  try {
    UTF8.decode(bytes.subarray(at, at + length));
    return at + length <= bytes.length ? length : 0;
  } catch {
    return 0;
  }
}

function base64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const BACKSLASH = 0x5c;
