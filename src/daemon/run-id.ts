/** 26 characters: 48 bits of time in milliseconds, 80 random bits, Crockford's base 32 in lower case. Sorts by time, like a ULID. */
export function newRunId(timeMs: number, random: Uint8Array): string {
  let bits = BigInt(timeMs);
  for (const byte of random.subarray(0, 10)) bits = (bits << 8n) | BigInt(byte);
  let id = '';
  for (let digit = 0; digit < 26; digit++) {
    id = ALPHABET[Number(bits & 31n)]! + id;
    bits >>= 5n;
  }
  return id;
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
