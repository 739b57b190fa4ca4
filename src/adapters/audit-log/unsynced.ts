import type { LogPlace } from './seal-batch.ts';
import type { SegmentFile } from './segment-file.ts';
import { treeHasher } from './tree-hasher.ts';

/**
 * After an error of the disk: writes once more what it may not have taken, if it is still there as it was written. Returns what was done, for the record;
 * undefined when there was nothing to do.
 */
export async function rewriteUnsynced(file: SegmentFile, from: LogPlace, to: LogPlace): Promise<string | undefined> {
  if (!file.unsynced) return undefined;
  const bytes = await file.read(from.bytes);
  const entries = `entries ${from.head.seq + 1} to ${to.head.seq}`;
  const tree = from.tree.copy();
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, at);
    if (end < 0) break;
    tree.add(treeHasher.leaf(bytes.subarray(at, end)));
    at = end + 1;
  }
  if (!Buffer.from(tree.root()).equals(to.tree.root())) {
    throw new Error(`${entries} were not taken by the disk, and are not what was written any more`);
  }
  await file.rewrite(from.bytes, bytes);
  return `${entries} were written once more, since the disk did not take them`;
}

const NEWLINE = 0x0a;
