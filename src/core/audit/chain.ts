import { canonicalMembers, joinMembers, member } from './canonical.ts';
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
  const seq = head.seq + 1;
  if (RESERVED.some((name) => name in fields)) throw new RangeError('a record has its place from the chain alone');
  const members = canonicalMembers(fields);
  for (const own of [member('prev', head.hash), member('seq', seq), member('v', 1)]) insert(members, own);
  const hash = crypto.hash(joinMembers(members));
  insert(members, member('hash', hash));
  if (needsSignature(fields)) insert(members, member('sig', crypto.sign(recordStatement(hash))));
  return { line: joinMembers(members), head: { seq, hash } };
}

const RESERVED = ['hash', 'prev', 'seq', 'sig', 'v'];

/** At its place in the order: a quote sorts before every letter and digit, so members sort as their names do. */
function insert(members: string[], added: string): void {
  const at = members.findIndex((one) => one > added);
  members.splice(at < 0 ? members.length : at, 0, added);
}

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
