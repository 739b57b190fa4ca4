import { isSignature } from './chain.ts';

/**
 * A statement about all entries of a log up to its size: a signed note (C2SP signed-note) whose text is a checkpoint (C2SP tlog-checkpoint), so that
 * tools of transparency logs understand it.
 */
export type Checkpoint = {
  /** Names the log: `originOf` its identifier. Also the name of the key in the signature's line. */
  origin: string;
  /** Number of entries. */
  size: number;
  /** Root of the Merkle tree over them (RFC 6962), base64 of 32 bytes. */
  root: string;
};

/** Of one line of signatures. `keyId`: 8 hex digits. `signature`: base64, of 64 bytes where it is Ed25519. */
export type NoteSignature = { name: string; keyId: string; signature: string };
export type SignedCheckpoint = Checkpoint & {
  /** What is signed. */
  text: string;
  signatures: NoteSignature[];
};

/** What says whose log it is. `log`: the identifier in the log's first entry. */
export const originOf = (log: string) => `gatekeeper/${log}`;

/** `sign`: Ed25519 over a text's UTF-8 bytes, as base64. */
export function sealCheckpoint(checkpoint: Checkpoint, keyId: string, sign: (text: string) => string): string {
  const text = `${checkpoint.origin}\n${checkpoint.size}\n${checkpoint.root}\n`;
  const bytes = btoa(bytesOfHex(keyId) + atob(sign(text)));
  return `${text}\n— ${checkpoint.origin} ${bytes}\n`;
}

/** Reads a checkpoint with its signatures, whoever they are from; undefined when it is none. Lines that follow the three are covered by the signatures. */
export function parseCheckpoint(note: string): SignedCheckpoint | undefined {
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || note.length > LONGEST_NOTE || CONTROL.test(note) || !note.endsWith('\n')) return undefined;
  const text = note.slice(0, end + 1);
  const signatures = note
    .slice(end + 2, -1)
    .split('\n')
    .map(parseSignature);
  if (!signatures.every((signature) => signature !== undefined)) return undefined;
  const [origin, size, root, ...more] = text.slice(0, -1).split('\n');
  if (!origin || !SIZE.test(size ?? '') || !ROOT.test(root ?? '') || more.includes('')) return undefined;
  if (!Number.isSafeInteger(Number(size))) return undefined;
  return { origin, size: Number(size), root: root!, text, signatures };
}

/** Whether one of its signatures is that of the key which is known to the log. A line that claims to be and is not spoils the note. */
export function isSignedBy(
  checkpoint: SignedCheckpoint,
  keyId: string,
  verify: (statement: string, signature: string) => boolean,
): boolean {
  const own = checkpoint.signatures.filter((one) => one.name === checkpoint.origin && one.keyId === keyId);
  return own.length > 0 && own.every(({ signature }) => isSignature(signature) && verify(checkpoint.text, signature));
}

function parseSignature(line: string): NoteSignature | undefined {
  const [, name, base64] = SIGNATURE_LINE.exec(line) ?? [];
  if (name === undefined || base64 === undefined) return undefined;
  const bytes = decode(base64);
  if (bytes === undefined || bytes.length < 5) return undefined;
  const keyId = Array.from(bytes.slice(0, 4), (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
  return { name, keyId, signature: btoa(bytes.slice(4)) };
}

/** Undefined for anything but the one canonical spelling. */
function decode(base64: string): string | undefined {
  try {
    const bytes = atob(base64);
    return btoa(bytes) === base64 ? bytes : undefined;
  } catch {
    return undefined;
  }
}

const bytesOfHex = (hex: string) => String.fromCharCode(...(hex.match(/../g) ?? []).map((byte) => parseInt(byte, 16)));

const SIZE = /^(?:0|[1-9][0-9]{0,15})$/;
const ROOT = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;
const SIGNATURE_LINE = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u;
/** A note has none but the newline. */
const CONTROL = /[\x00-\x09\x0b-\x1f]/;
const LONGEST_NOTE = 64 * 1024;
