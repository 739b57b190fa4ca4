import type { SignedCheckpoint } from './checkpoint.ts';

/** Who cosigns: the verifier key `name+keyid+base64` (C2SP signed-note) of Ed25519 for cosignatures, type 0x04 (C2SP tlog-cosignature). */
export type Cosigner = {
  name: string;
  /** 8 hex digits. */
  keyId: string;
  /** Base64 of 32 bytes. */
  key: string;
};

/** @param vkey of the right form, as the settings have it */
export function parseCosigner(vkey: string): Cosigner {
  const [name, keyId, base64] = splitThree(vkey);
  return { name, keyId, key: btoa(atob(base64).slice(1)) };
}

/**
 * When the cosigner says that it saw this as the largest tree of the log, in seconds since the epoch; undefined when it has not cosigned the note.
 * @param verify Ed25519 by the key (base64) over the text's UTF-8 bytes
 */
export function cosignedAt(
  note: SignedCheckpoint,
  { name, keyId, key }: Cosigner,
  verify: (key: string, text: string, signature: string) => boolean,
): number | undefined {
  for (const one of note.signatures) {
    if (one.name !== name || one.keyId !== keyId) continue;
    const bytes = atob(one.signature);
    if (bytes.length !== TIMESTAMP_BYTES + SIGNATURE_BYTES) continue;
    const time = bigEndian(bytes.slice(0, TIMESTAMP_BYTES));
    if (!Number.isSafeInteger(time)) continue;
    const text = `cosignature/v1\ntime ${time}\n${note.text}`;
    if (verify(key, text, btoa(bytes.slice(TIMESTAMP_BYTES)))) return time;
  }
  return undefined;
}

/** The key is base64, which may hold further plus signs. */
function splitThree(vkey: string): [string, string, string] {
  const first = vkey.indexOf('+');
  const second = vkey.indexOf('+', first + 1);
  return [vkey.slice(0, first), vkey.slice(first + 1, second), vkey.slice(second + 1)];
}

const bigEndian = (bytes: string): number => [...bytes].reduce((sum, byte) => sum * 256 + byte.charCodeAt(0), 0);

const TIMESTAMP_BYTES = 8;
const SIGNATURE_BYTES = 64;
