import { canonicalParts } from './canonical.ts';
import { type AuditFields, type ChainHead, needsSignature } from './record.ts';

/** SHA-256 of a text's UTF-8 bytes, as 64 hex digits. */
export type HashText = (text: string) => string;
/** Ed25519 over a text's UTF-8 bytes, as base64. */
export type SignText = (text: string) => string;

/** A record at its place: the line but for its signature, and what that has to sign where one is due. */
export type PlacedRecord = {
  readonly head: ChainHead;
  readonly statement: string | undefined;
  readonly before: string;
  readonly behind: string;
};

/** Gives a record its place behind `head`: its number, the hash before it and its own hash, which no signature is part of. */
export function placeRecord(fields: AuditFields, head: ChainHead, hashOf: HashText): PlacedRecord {
  for (const name of RESERVED) if (name in fields) throw new RangeError('a record has its place from the chain alone');
  const [toHash, toPrev, toSeq, toSig, toV, end] = canonicalParts(fields, RESERVED) as [string, ...string[]];
  const seq = head.seq + 1;
  const middle = `${toPrev}"prev":"${head.hash}",${toSeq}"seq":${seq},${toSig}`;
  const behind = end === '' ? `${toV}"v":1}` : `${toV}"v":1,${end!.slice(0, -1)}}`;
  const hash = hashOf(`{${toHash}${middle}${behind}`);
  const statement = needsSignature(fields) ? recordStatement(hash) : undefined;
  return { head: { seq, hash }, statement, before: `{${toHash}"hash":"${hash}",${middle}`, behind };
}

/** The line to write, without the newline. `signature`: of the statement, where there is one. */
export function placedLine({ statement, before, behind }: PlacedRecord, signature: string | undefined): string {
  if ((statement === undefined) !== (signature === undefined))
    throw new Error('a signature where none is due, or none');
  return signature === undefined ? before + behind : `${before}"sig":"${signature}",${behind}`;
}

/** Both in one: the line of a record behind `head`, without the newline, and the new head. */
export function sealRecord(
  fields: AuditFields,
  head: ChainHead,
  crypto: { hash: HashText; sign: SignText },
): { line: string; head: ChainHead } {
  const placed = placeRecord(fields, head, crypto.hash);
  const signature = placed.statement === undefined ? undefined : crypto.sign(placed.statement);
  return { line: placedLine(placed, signature), head: placed.head };
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
