import { setImmediate as giveWay } from 'node:timers/promises';
import { CompactRange } from '../../core/audit/merkle.ts';
import { readBatches } from './read.ts';
import { segmentStart } from './segment-start.ts';
import { listSegments, readFirstLine, segmentPath } from './segments.ts';
import { treeHasher } from './tree-hasher.ts';

/** Reads a log's tree on both sides of an entry: what consistency proofs are made from. Goes on from where it has read to, as the log grows. */
export class TreeReader {
  readonly #directory: string;
  /** Over the entries from 0 to where it was opened or has advanced to, and over those behind them. */
  #before: CompactRange;
  #after: CompactRange;
  #place: { segment: number; offset: number };
  /** Leaves that were read and not asked for yet. */
  #ahead: Uint8Array[] = [];

  private constructor(directory: string, segment: number, tree: CompactRange) {
    this.#directory = directory;
    this.#before = tree;
    this.#after = new CompactRange(treeHasher, tree.end);
    this.#place = { segment, offset: 0 };
  }

  /** Reads no more than from the file on that holds the entry. @throws Error when files that it takes are gone, or the log ends before it */
  static async open(directory: string, at: number): Promise<TreeReader> {
    for (const segment of listSegments(directory).reverse()) {
      const start = segmentStart(readFirstLine(segmentPath(directory, segment)) ?? '');
      if (start === undefined || start.tree.end > at) continue;
      const reader = new TreeReader(directory, segment, start.tree);
      await reader.readTo(at);
      reader.advance();
      return reader;
    }
    throw new Error(`the files of the log that hold entry ${at} are gone`);
  }

  get before(): CompactRange {
    return this.#before;
  }
  get after(): CompactRange {
    return this.#after;
  }

  /** Makes `after` end at this size. */
  async readTo(size: number): Promise<void> {
    if (size < this.#after.end) throw new RangeError(`${this.#after.end} entries were read already`);
    for (let end = -1; this.#after.end + this.#ahead.length < size; ) {
      if (end === this.#after.end + this.#ahead.length) throw new Error(`the log ends at ${end}, before ${size}`);
      end = this.#after.end + this.#ahead.length;
      await this.#readMore();
    }
    for (const leaf of this.#ahead.splice(0, size - this.#after.end)) this.#after.add(leaf);
  }

  /** What was behind is before from now on. */
  advance(): void {
    const before = this.#before.copy();
    before.join(this.#after);
    this.#before = before;
    this.#after = new CompactRange(treeHasher, before.end);
  }

  async #readMore(): Promise<void> {
    for (const { lines, end } of readBatches(this.#directory, this.#place)) {
      for (const { text, torn } of lines) if (!torn) this.#ahead.push(treeHasher.leaf(Buffer.from(text ?? '')));
      this.#place = end;
      await giveWay();
    }
  }
}
