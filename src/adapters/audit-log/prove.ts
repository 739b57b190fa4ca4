import { isSignedBy, originOf, parseCheckpoint, type SignedCheckpoint } from '../../core/audit/checkpoint.ts';
import { CompactRange, consistencyProof, inclusionProof } from '../../core/audit/merkle.ts';
import { entryProofText, growthProofText } from '../../core/audit/proof.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { noteKeyId, verifyWith } from '../keys/public-key.ts';
import { LineReader } from './line-reader.ts';
import { readCheckpointFile } from './read.ts';
import { segmentStart } from './segment-start.ts';
import { listSegments, segmentPath } from './segments.ts';
import { treeHasher } from './tree-hasher.ts';

/**
 * The proof that an entry is among those that the log's checkpoint tells of.
 * @throws GatekeeperError (GK_AUDIT_ENTRY, GK_AUDIT_PROOF)
 */
export function proveEntry(directory: string, seq: number): string {
  const { note, checkpoint } = ownCheckpoint(directory);
  if (seq < 1 || seq > checkpoint.size) {
    const what = `the checkpoint of the log tells of ${checkpoint.size} entries, and of none with number ${seq}`;
    throw new GatekeeperError('GK_AUDIT_ENTRY', { what, where: directory });
  }
  const { ranges, line, keys } = readRanges(directory, checkpoint, [seq - 1, seq]);
  const [before, , after] = ranges;
  if (before === undefined || after === undefined || line === undefined) throw gone(directory, seq);
  const hashes = inclusionProof(treeHasher, before, after);
  return entryProofText({ line, key: signerOf(checkpoint, keys), index: seq - 1, hashes }, note);
}

/**
 * The proof that what a kept checkpoint tells of is the beginning of what the log's own one tells of.
 * @throws GatekeeperError (GK_AUDIT_PROOF)
 */
export function proveGrowth(directory: string, kept: string): string {
  const { note, checkpoint } = ownCheckpoint(directory);
  const old = parseCheckpoint(kept);
  if (old === undefined) throw proofError('what is to be proved from is not a checkpoint', '');
  if (old.origin !== checkpoint.origin) throw proofError(`the checkpoint is that of ${old.origin}`, directory);
  if (old.size > checkpoint.size) {
    throw proofError(`the log tells of ${checkpoint.size} entries, the kept checkpoint of ${old.size}`, directory);
  }
  const { ranges, keys } = readRanges(directory, checkpoint, [old.size]);
  const [before, after] = ranges;
  if (before === undefined || after === undefined) throw gone(directory, old.size);
  const root = Buffer.from(before.root()).toString('base64');
  if (root !== old.root) throw proofError('the log has other entries than the kept checkpoint tells of', directory);
  const hashes = consistencyProof(treeHasher, before, after);
  return growthProofText({ key: signerOf(checkpoint, keys), oldKey: signerOf(old, keys), hashes }, kept, note);
}

function ownCheckpoint(directory: string): { note: string; checkpoint: SignedCheckpoint } {
  const note = readCheckpointFile(directory) ?? '';
  const checkpoint = parseCheckpoint(note);
  if (checkpoint === undefined) throw proofError('the log has no checkpoint', directory);
  return { note, checkpoint };
}

type Ranges = {
  /** Of the leaves up to the first border, from there to the next, and so on to the size; those that cannot be known are undefined. */
  ranges: (CompactRange | undefined)[];
  /** The leaf between the first two borders. */
  line: Uint8Array | undefined;
  keys: string[];
};

/** Reads every line up to the size. Of a pruned log the first entry that is left tells what came before it. */
function readRanges(directory: string, { origin, size }: SignedCheckpoint, borders: readonly number[]): Ranges {
  const ends = [...borders, size];
  const made: Ranges = { ranges: [], line: undefined, keys: [] };
  let range: CompactRange | undefined;
  for (const segment of listSegments(directory)) {
    if (range !== undefined && range.end >= size) break;
    const reader = new LineReader(segmentPath(directory, segment));
    let isFirst = true;
    const take = (bytes: Buffer) => {
      if (isFirst) {
        const start = segmentStart(bytes.toString());
        if (range === undefined && (start === undefined || originOf(start.log) !== origin)) {
          throw proofError('the log does not begin as logs do', directory);
        }
        range ??= start!.tree;
        closeRanges();
      }
      const text = isFirst || bytes.includes('"action":"key_change"') ? bytes.toString() : undefined;
      if (text !== undefined) made.keys.push(...keyIn(text));
      isFirst = false;
      if (range!.end >= size) return;
      if (made.ranges.length === 1 && ends.length === 3) made.line = Buffer.from(bytes);
      range!.add(treeHasher.leaf(bytes));
      closeRanges();
    };
    try {
      while (reader.step(take) > 0) if (range !== undefined && range.end >= size) break;
    } finally {
      reader.close();
    }
  }
  if (made.ranges.length < ends.length) throw proofError('the log ends before its checkpoint', directory);
  return made;

  /** A border that was reached: what follows is a range of its own. Those before the beginning of what is left were never read. */
  function closeRanges(): void {
    for (let end = ends[made.ranges.length]; end !== undefined && range!.end >= end; end = ends[made.ranges.length]) {
      made.ranges.push(range!.end === end ? range : undefined);
      if (range!.end === end && made.ranges.length < ends.length) range = new CompactRange(treeHasher, end);
    }
  }
}

function keyIn(line: string): string[] {
  try {
    const { key } = JSON.parse(line) as { key?: unknown };
    return typeof key === 'string' ? [key] : [];
  } catch {
    return [];
  }
}

/** The key that signed; nothing is believed here, the proof is checked by whoever gets it. */
function signerOf(checkpoint: SignedCheckpoint, keys: readonly string[]): string {
  const signer = keys.findLast((key) => isSignedByKey(checkpoint, key));
  if (signer === undefined) throw proofError('the checkpoint is not signed by a key of the log', '');
  return signer;
}

export function isSignedByKey(checkpoint: SignedCheckpoint, key: string): boolean {
  const publicKey = Buffer.from(key, 'base64');
  return isSignedBy(checkpoint, noteKeyId(checkpoint.origin, publicKey), verifyWith(publicKey));
}

const gone = (directory: string, seq: number) =>
  new GatekeeperError('GK_AUDIT_ENTRY', {
    what: `entry ${seq} is gone: it was in one of the files that the settings of the log have let go`,
    where: directory,
  });

const proofError = (what: string, where: string) =>
  new GatekeeperError('GK_AUDIT_PROOF', { what, where, remedy: 'see: gatekeeper audit verify' });
