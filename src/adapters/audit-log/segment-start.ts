import { CompactRange } from '../../core/audit/merkle.ts';
import type { AuditFields } from '../../core/audit/record.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { readLines } from './line-reader.ts';
import { listSegments, readFirstLine, segmentPath } from './segments.ts';
import { treeHasher } from './tree-hasher.ts';

/** What a file's first entry says of the log before it. `time`: when the file was begun. */
export type SegmentStart = { log: string; time: string; tree: CompactRange };

export type ResumedTree = SegmentStart & {
  /** Root of the tree of the size that was asked for; undefined when that is not of entries in the last file. */
  root?: Uint8Array;
  /** Keys (base64) that the last file tells of the end of, each with the number of the entry that does. */
  formerKeys: { key: string; until: number }[];
};

/** The tree over all entries, and what the last file began with. Reads the last file with entries, and no more of the log. */
export function resumeTree(directory: string, size?: number): ResumedTree | undefined {
  for (const segment of listSegments(directory).reverse()) {
    const first = readFirstLine(segmentPath(directory, segment));
    if (first === undefined) continue; // made by a rotation, nothing written yet
    const begun = segmentStart(first);
    const start: ResumedTree | undefined = begun && { ...begun, formerKeys: [] };
    if (start === undefined) throw brokenStart(segmentPath(directory, segment));
    readLines(segmentPath(directory, segment), (line) => {
      start.tree.add(treeHasher.leaf(line));
      if (start.tree.end === size) start.root = start.tree.root();
      if (line.subarray(0, KEY_CHANGE.length).equals(KEY_CHANGE))
        start.formerKeys.push(...formerKeys(line.toString(), start.tree.end));
    });
    return start;
  }
  return undefined;
}

function formerKeys(line: string, until: number): ResumedTree['formerKeys'] {
  try {
    const { keyBefore: key } = JSON.parse(line) as Record<string, unknown>;
    return typeof key === 'string' ? [{ key, until }] : [];
  } catch {
    return [];
  }
}

/** Undefined for a line that no file begins with. Only what is signed may be believed: that is for the verifier, or for who wrote the log. */
export function segmentStart(line: string): SegmentStart | undefined {
  try {
    const { action, seq, log, time, tree } = JSON.parse(line) as Record<string, unknown>;
    if (typeof seq !== 'number' || typeof log !== 'string' || typeof time !== 'string') return undefined;
    if (action === 'log_start' && seq === 1) return { log, time, tree: new CompactRange(treeHasher) };
    if (action !== 'segment' || typeof tree !== 'string' || seq < 2) return undefined;
    return { log, time, tree: restoreTree(seq - 1, tree) };
  } catch {
    return undefined;
  }
}

/** What every file begins with: enough to go on from here, for a writer and for a verifier, when those before it are gone. */
export function startEntry({
  time,
  log,
  segment,
  tree,
  publicKey,
}: Omit<SegmentStart, 'time'> & { time: string; segment: number; publicKey: Uint8Array }): AuditFields {
  const common = { time, log, key: Buffer.from(publicKey).toString('base64') };
  return tree.end === 0
    ? { action: 'log_start', ...common }
    : { action: 'segment', ...common, segment, tree: joinHashes(tree) };
}

/** A tree as a `segment` says it. */
export const joinHashes = (tree: CompactRange) => Buffer.concat(tree.nodes.map(({ hash }) => hash)).toString('base64');

/** @throws RangeError when a tree of that size has another number of hashes */
export const restoreTree = (size: number, hashes: string) =>
  CompactRange.restore(treeHasher, size, splitHashes(hashes));

function splitHashes(text: string): Uint8Array[] {
  const bytes = Buffer.from(text, 'base64');
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += HASH_BYTES) hashes.push(bytes.subarray(at, at + HASH_BYTES));
  return hashes;
}

function brokenStart(where: string): GatekeeperError {
  return new GatekeeperError('GK_AUDIT_BROKEN', {
    what: 'the first line of a file of the audit log is not one that files begin with',
    where,
    remedy: 'see: gatekeeper audit verify; then move the log away',
  });
}

/** Canonical form begins with the action. */
const KEY_CHANGE = Buffer.from('{"action":"key_change"');
const HASH_BYTES = 32;
