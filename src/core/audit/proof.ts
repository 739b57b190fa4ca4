import { parseCheckpoint, type SignedCheckpoint } from './checkpoint.ts';
import { isPublicKey } from './key-change.ts';

/**
 * That an entry is in the log: C2SP tlog-proof, whose extra data are two lines, that of the entry and the public key (base64) that signed the checkpoint. Hashes are
 * those of the inclusion proof (RFC 6962, 2.1.1).
 */
export type EntryProof = {
  kind: 'entry';
  key: string;
  /** The exact bytes of the entry's line, without its newline. */
  line: Uint8Array;
  /** Counted from 0. */
  index: number;
  hashes: Uint8Array[];
  checkpoint: SignedCheckpoint;
};

/** That a log went on from where it stood: both checkpoints, and the hashes of the consistency proof (RFC 6962, 2.1.2). */
export type GrowthProof = {
  kind: 'growth';
  /** That signed the later checkpoint, and the earlier one. */
  key: string;
  oldKey: string;
  hashes: Uint8Array[];
  old: SignedCheckpoint;
  checkpoint: SignedCheckpoint;
};

export function entryProofText(
  { line, key, index, hashes }: Omit<EntryProof, 'kind' | 'checkpoint'>,
  note: string,
): string {
  const extra = new Uint8Array(line.length + 1 + key.length);
  extra.set(line);
  extra.set(new TextEncoder().encode(`\n${key}`), line.length);
  return `${ENTRY_HEADER}\nextra ${toBase64(extra)}\nindex ${index}\n${hashLines(hashes)}\n${note}`;
}

/** Of two notes: `old` is what somebody kept, `note` what the log has come to. A line of dashes stands between them. */
export function growthProofText(
  { key, oldKey, hashes }: Pick<GrowthProof, 'key' | 'oldKey' | 'hashes'>,
  old: string,
  note: string,
): string {
  return `${GROWTH_HEADER}\nkey ${key}\nold-key ${oldKey}\n${hashLines(hashes)}\n${old}${BETWEEN}${note}`;
}

const hashLines = (hashes: readonly Uint8Array[]) => hashes.map((hash) => `${toBase64(hash)}\n`).join('');

/** Undefined for anything but exactly what the two functions above write. */
export function parseProof(text: string): EntryProof | GrowthProof | undefined {
  const at = text.indexOf('\n\n');
  if (at < 0) return undefined;
  const [header, ...lines] = text.slice(0, at).split('\n');
  const rest = text.slice(at + 2);
  if (header === ENTRY_HEADER) return parseEntry(lines, rest);
  return header === GROWTH_HEADER ? parseGrowth(lines, rest) : undefined;
}

function parseEntry([data, place, ...lines]: string[], note: string): EntryProof | undefined {
  const extra = fromBase64(after('extra ', data) ?? '');
  const end = extra?.indexOf(NEWLINE) ?? -1;
  const index = after('index ', place);
  const hashes = parseHashes(lines);
  const checkpoint = parseCheckpoint(note);
  if (extra === undefined || end < 1 || !INDEX.test(index ?? '') || !hashes || !checkpoint) return undefined;
  const key = String.fromCharCode(...extra.subarray(end + 1, end + 1 + LONGEST_KEY));
  if (!isPublicKey(key)) return undefined;
  return { kind: 'entry', line: extra.subarray(0, end), key, index: Number(index), hashes, checkpoint };
}

function parseGrowth([named, oldNamed, ...lines]: string[], notes: string): GrowthProof | undefined {
  const key = after('key ', named) ?? '';
  const oldKey = after('old-key ', oldNamed) ?? '';
  const [old, checkpoint, ...more] = notes.split(BETWEEN).map(parseCheckpoint);
  const hashes = parseHashes(lines);
  if (old === undefined || checkpoint === undefined || more.length > 0 || hashes === undefined) return undefined;
  return isPublicKey(key) && isPublicKey(oldKey) ? { kind: 'growth', key, oldKey, hashes, old, checkpoint } : undefined;
}

function parseHashes(lines: readonly string[]): Uint8Array[] | undefined {
  if (lines.length > MOST_HASHES) return undefined;
  const hashes = lines.map(fromBase64);
  return hashes.every((hash) => hash?.length === HASH_BYTES) ? (hashes as Uint8Array[]) : undefined;
}

const after = (word: string, text = ''): string | undefined =>
  text.startsWith(word) ? text.slice(word.length) : undefined;

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Undefined for anything but the one canonical spelling. */
function fromBase64(text: string): Uint8Array | undefined {
  try {
    const binary = atob(text);
    if (btoa(binary) !== text) return undefined;
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** C2SP tlog-proof. */
const ENTRY_HEADER = 'c2sp.org/tlog-proof@v1';
const GROWTH_HEADER = 'gatekeeper/consistency-proof@v1';
/** No line of a note begins with it: the text's are a name, a number and a hash, those of signatures begin with another dash. */
const BETWEEN = '\n---\n\n';
const INDEX = /^(?:0|[1-9][0-9]{0,15})$/;
const HASH_BYTES = 32;
const NEWLINE = 0x0a;
/** One more than a key has, so that nothing may follow it. */
const LONGEST_KEY = 45;
/** A tree with more levels has more leaves than there are numbers. */
const MOST_HASHES = 128;
