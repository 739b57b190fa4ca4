import { canonicalParts } from './canonical.ts';
import { type AuditFields, type ChainHead, needsSignature } from './record.ts';

/** SHA-256 of a text's UTF-8 bytes, as 64 hex digits. */
export type HashText = (text: string) => string;
/** Ed25519 over a text's UTF-8 bytes, as base64. */
export type SignText = (text: string) => string;

/**
 * Gives a record its place behind `head`: its number, the hash before it, its own hash and, where one is due, its
 * signature. Returns the line to write, without the newline, and the new head.
 */
export function sealRecord(
  fields: AuditFields,
  head: ChainHead,
  crypto: { hash: HashText; sign: SignText },
): { line: string; head: ChainHead } {
  for (const name of RESERVED) if (name in fields) throw new RangeError('a record has its place from the chain alone');
  const [toHash, toPrev, toSeq, toSig, toV, end] = canonicalParts(fields, RESERVED) as [string, ...string[]];
  const seq = head.seq + 1;
  const middle = `${toPrev}"prev":"${head.hash}",${toSeq}"seq":${seq},${toSig}`;
  const last = end === '' ? `${toV}"v":1}` : `${toV}"v":1,${end!.slice(0, -1)}}`;
  const hash = crypto.hash(`{${toHash}${middle}${last}`);
  const sig = needsSignature(fields) ? `"sig":"${crypto.sign(recordStatement(hash))}",` : '';
  return { line: `{${toHash}"hash":"${hash}",${middle}${sig}${last}`, head: { seq, hash } };
}

/** In their order. */
const RESERVED = ['hash', 'prev', 'seq', 'sig', 'v'];

/** The canonical text that a line's hash covers: the line without its hash and signature. The line must be canonical. */
export function hashedText(line: string, record: { hash: string; sig?: string }): string {
  const bare = cut(line, `"hash":"${record.hash}",`);
  return record.sig === undefined ? bare : cut(bare, `"sig":${JSON.stringify(record.sig)},`);
}

/** What a record's signature signs. The first words keep it from being taken for a signature over anything else. */
export const recordStatement = (hash: string) => `gatekeeper audit record 1\n${hash}\n`;

/** Base64 of 64 bytes in its one canonical spelling: bits that decoding ignores are zero. */
export const isSignature = (text: string) => /^[A-Za-z0-9+/]{85}[AQgw]==$/.test(text);

/**
 * Removes a member. Quotes within values are escaped, so the text of a member cannot occur inside a value; both members are
 * followed by another one (`seq`, `time`, `v`), hence the comma.
 */
function cut(line: string, member: string): string {
  const at = line.indexOf(member);
  return at < 0 ? line : line.slice(0, at) + line.slice(at + member.length);
}
