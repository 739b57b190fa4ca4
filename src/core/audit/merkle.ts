/**
 * The Merkle tree over all entries of a log (RFC 6962, section 2.1; the terms are those of RFC 9162). A leaf is a line of the log
 * without its newline. Leaves are counted from 0: the entry with number `seq` is leaf `seq - 1`.
 */
export type TreeHasher = {
  /** SHA-256 of 0x00 and the line's bytes. */
  leaf: (line: Uint8Array) => Uint8Array;
  /** SHA-256 of 0x01 and both children. */
  node: (left: Uint8Array, right: Uint8Array) => Uint8Array;
  /** SHA-256 of nothing: the root of a tree without leaves. */
  empty: () => Uint8Array;
};

/** A whole subtree: the leaves from `at` on, 2 to the power of `level` of them; `at` is a multiple of that. */
export type TreeNode = { at: number; level: number; hash: Uint8Array };

/**
 * What has to be kept of the leaves from `begin` to `end` to know every tree that they are part of: the largest whole subtrees that they make up, about two
 * for each doubling of their number. Grows at its end, leaf by leaf or by the range that follows it.
 */
export class CompactRange {
  readonly begin: number;
  readonly #hasher: TreeHasher;
  readonly #nodes: TreeNode[] = [];
  #end: number;

  constructor(hasher: TreeHasher, begin = 0) {
    this.#hasher = hasher;
    this.begin = begin;
    this.#end = begin;
  }

  /**
   * The range from 0 to `size` from the hashes of its nodes, largest subtree first.
   * @throws RangeError when a tree of that size has another number of them
   */
  static restore(hasher: TreeHasher, size: number, hashes: readonly Uint8Array[]): CompactRange {
    const range = new CompactRange(hasher);
    const levels = levelsOf(size);
    if (hashes.length !== levels.length) throw new RangeError(`a tree of ${size} leaves has ${levels.length} hashes`);
    for (const [index, level] of levels.entries()) range.#push({ at: range.#end, level, hash: hashes[index]! });
    return range;
  }

  get end(): number {
    return this.#end;
  }
  get nodes(): readonly TreeNode[] {
    return this.#nodes;
  }

  /** Adds the leaf `end`, given as its hash. */
  add(leaf: Uint8Array): void {
    this.#push({ at: this.#end, level: 0, hash: leaf });
  }

  /** Adds the range that begins where this one ends. @throws RangeError when it does not */
  join(next: CompactRange): void {
    if (next.begin !== this.#end) throw new RangeError(`a range from ${next.begin} on does not follow ${this.#end}`);
    for (const node of next.#nodes) this.#push(node);
  }

  copy(): CompactRange {
    const copy = new CompactRange(this.#hasher, this.begin);
    copy.#nodes.push(...this.#nodes);
    copy.#end = this.#end;
    return copy;
  }

  /** Root of the tree of `end` leaves. @throws RangeError for a range that does not begin at 0 */
  root(): Uint8Array {
    if (this.begin !== 0) throw new RangeError('only a range from 0 on has a root');
    return this.#nodes.length === 0 ? this.#hasher.empty() : fold(this.#hasher, this.#nodes);
  }

  #push(node: TreeNode): void {
    let { at, level, hash } = node;
    for (;;) {
      const last = this.#nodes.at(-1);
      const width = 2 ** level;
      if (last === undefined || last.level !== level || last.at % (2 * width) !== 0) break;
      this.#nodes.pop();
      hash = this.#hasher.node(last.hash, hash);
      at = last.at;
      level += 1;
    }
    this.#nodes.push({ at, level, hash });
    this.#end = at + 2 ** level;
  }
}

/**
 * The inclusion proof (RFC 6962, 2.1.1) of the leaf between two ranges, from 0 to it and from behind it to the size of the tree: the hashes from the leaf's
 * sibling up to the root's child.
 */
export function inclusionProof(hasher: TreeHasher, before: CompactRange, after: CompactRange): Uint8Array[] {
  if (after.begin !== before.end + 1)
    throw new RangeError('there is one leaf between the ranges of an inclusion proof');
  return climb(hasher, { at: before.end, level: 0 }, [...before.nodes], [...after.nodes], after.end);
}

/** The consistency proof (RFC 6962, 2.1.2) from the tree of the first range to that of both: `next` begins where `old` ends. */
export function consistencyProof(hasher: TreeHasher, old: CompactRange, next: CompactRange): Uint8Array[] {
  if (next.begin !== old.end) throw new RangeError('the ranges of a consistency proof follow each other');
  if (old.end === 0 || next.end === old.end) return [];
  const left = [...old.nodes];
  const seed = left.pop()!;
  const path = climb(hasher, seed, left, [...next.nodes], next.end);
  return old.nodes.length === 1 ? path : [seed.hash, ...path];
}

/** Root of a tree of `size` leaves that has `leaf` at `index` (RFC 9162, 2.1.3.2); undefined when the proof is not one of such a leaf. */
export function rootOfInclusion(
  hasher: TreeHasher,
  { index, size, leaf, proof }: { index: number; size: number; leaf: Uint8Array; proof: readonly Uint8Array[] },
): Uint8Array | undefined {
  if (!isPlace(index) || !isPlace(size) || index >= size) return undefined;
  let at = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return undefined;
    if (at % 2 === 1 || at === last) {
      hash = hasher.node(sibling, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else hash = hasher.node(hash, sibling);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 ? hash : undefined;
}

/** Whether the tree of `newSize` leaves begins with that of `oldSize` leaves (RFC 9162, 2.1.4.2). */
export function isConsistent(
  hasher: TreeHasher,
  old: { size: number; root: Uint8Array },
  grown: { size: number; root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (!isPlace(old.size) || !isPlace(grown.size) || old.size > grown.size) return false;
  if (old.size === grown.size) return proof.length === 0 && sameBytes(old.root, grown.root);
  if (old.size === 0) return proof.length === 0;
  const path = isPowerOfTwo(old.size) ? [old.root, ...proof] : [...proof];
  let at = old.size - 1;
  let last = grown.size - 1;
  while (at % 2 === 1) [at, last] = [half(at), half(last)];
  const seed = path.shift();
  if (seed === undefined) return false;
  let [oldHash, newHash] = [seed, seed];
  for (const sibling of path) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      oldHash = hasher.node(sibling, oldHash);
      newHash = hasher.node(sibling, newHash);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else newHash = hasher.node(newHash, sibling);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && sameBytes(oldHash, old.root) && sameBytes(newHash, grown.root);
}

/** From a subtree up to the root's child: to the left there are the whole subtrees of what comes before, to the right those of what comes behind. */
function climb(
  hasher: TreeHasher,
  from: { at: number; level: number },
  left: TreeNode[],
  right: TreeNode[],
  size: number,
): Uint8Array[] {
  const proof: Uint8Array[] = [];
  let { at, level } = from;
  for (; at > 0 || at + 2 ** level < size; level++) {
    const width = 2 ** level;
    if (at % (2 * width) !== 0) {
      proof.push(left.pop()!.hash);
      at -= width;
    } else if (at + 2 * width <= size) proof.push(right.shift()!.hash);
    else if (right.length > 0) proof.push(fold(hasher, right.splice(0))); // the ragged end of the tree
  }
  return proof;
}

/** The subtree, not a whole one, that these make up: smaller and smaller ones from left to right. */
function fold(hasher: TreeHasher, nodes: readonly TreeNode[]): Uint8Array {
  return nodes.reduceRight<Uint8Array | undefined>(
    (hash, node) => (hash === undefined ? node.hash : hasher.node(node.hash, hash)),
    undefined,
  )!;
}

/** Of the whole subtrees of a tree, the largest first. */
function levelsOf(size: number): number[] {
  const levels: number[] = [];
  for (let left = size, level = 0; left > 0; left = half(left), level++) if (left % 2 === 1) levels.unshift(level);
  return levels;
}

const half = (number: number) => Math.floor(number / 2);
const isPlace = (number: number) => Number.isSafeInteger(number) && number >= 0;
const isPowerOfTwo = (number: number) => 2 ** Math.round(Math.log2(number)) === number;
const sameBytes = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, at) => byte === b[at]);
