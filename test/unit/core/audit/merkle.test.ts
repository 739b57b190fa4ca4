import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  CompactRange,
  consistencyProof,
  inclusionProof,
  isConsistent,
  rootOfInclusion,
  type TreeHasher,
} from '../../../../src/core/audit/merkle.ts';

const sha256 = (...parts: Uint8Array[]) => new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest());
const hasher: TreeHasher = {
  leaf: (line) => sha256(Buffer.from([0]), line),
  node: (left, right) => sha256(Buffer.from([1]), left, right),
  empty: () => sha256(),
};
const leaves = Array.from({ length: 70 }, (_, index) => hasher.leaf(Buffer.from(`entry ${index}`)));
const range = (begin: number, end: number) => {
  const made = new CompactRange(hasher, begin);
  for (const leaf of leaves.slice(begin, end)) made.add(leaf);
  return made;
};
const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex');

/** As RFC 6962, 2.1 defines it, word for word. */
function root(from: number, to: number): Uint8Array {
  if (to - from === 0) return sha256();
  if (to - from === 1) return leaves[from]!;
  const split = largestPowerBelow(to - from);
  return hasher.node(root(from, from + split), root(from + split, to));
}

function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** PATH of RFC 6962, 2.1.1. */
function path(index: number, from: number, to: number): Uint8Array[] {
  if (to - from === 1) return [];
  const split = largestPowerBelow(to - from);
  return index < split
    ? [...path(index, from, from + split), root(from + split, to)]
    : [...path(index - split, from + split, to), root(from, from + split)];
}

/** SUBPROOF of RFC 6962, 2.1.2. */
function subproof(old: number, from: number, to: number, whole: boolean): Uint8Array[] {
  const count = to - from;
  if (old === count) return whole ? [] : [root(from, to)];
  const split = largestPowerBelow(count);
  return old <= split
    ? [...subproof(old, from, from + split, whole), root(from + split, to)]
    : [...subproof(old - split, from + split, to, false), root(from, from + split)];
}

describe('the tree over a log', () => {
  it('has the roots that RFC 6962 defines, at every size', () => {
    for (let size = 0; size <= leaves.length; size++) expect(hex(range(0, size).root())).toBe(hex(root(0, size)));
  });

  it('has the root of seven leaves that is published for the log of certificates of RFC 6962', () => {
    const published = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657'];
    const tree = new CompactRange(hasher);
    for (const data of published) tree.add(hasher.leaf(Buffer.from(data, 'hex')));
    expect(hex(tree.root())).toBe('ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c');
  });

  it('is known from its nodes alone, and goes on from them', () => {
    for (const size of [0, 1, 2, 3, 7, 8, 33, 64]) {
      const known = range(0, size).nodes.map(({ hash }) => hash);
      const restored = CompactRange.restore(hasher, size, known);
      for (const leaf of leaves.slice(size)) restored.add(leaf);
      expect(hex(restored.root())).toBe(hex(root(0, leaves.length)));
      expect(() => CompactRange.restore(hasher, size, [...known, leaves[0]!])).toThrow(RangeError);
    }
  });

  it('is put together from ranges that follow each other', () => {
    for (let cut = 0; cut <= leaves.length; cut++) {
      for (const second of [cut, Math.min(leaves.length, cut + 5), leaves.length]) {
        const whole = range(0, cut);
        whole.join(range(cut, second));
        whole.join(range(second, leaves.length));
        expect(hex(whole.root())).toBe(hex(root(0, leaves.length)));
      }
    }
    expect(() => range(0, 3).join(range(4, 5))).toThrow(RangeError);
    expect(() => range(1, 3).root()).toThrow(RangeError);
  });

  it('proves every leaf of every tree, as RFC 6962 says how, and no other leaf', () => {
    for (let size = 1; size <= 40; size++) {
      for (let index = 0; index < size; index++) {
        const proof = inclusionProof(hasher, range(0, index), range(index + 1, size));
        expect(proof.map(hex)).toEqual(path(index, 0, size).map(hex));
        const claim = { index, size, leaf: leaves[index]!, proof };
        expect(hex(rootOfInclusion(hasher, claim))).toBe(hex(root(0, size)));
        expect(hex(rootOfInclusion(hasher, { ...claim, leaf: leaves[69]! }))).not.toBe(hex(root(0, size)));
        for (const other of [index - 1, index + 1])
          expect(hex(rootOfInclusion(hasher, { ...claim, index: other }))).not.toBe(hex(root(0, size)));
        expect(rootOfInclusion(hasher, { ...claim, proof: [...proof, leaves[0]!] })).toBeUndefined();
      }
    }
  });

  it('proves that a tree begins with each smaller one, and with no other', () => {
    for (let size = 1; size <= 40; size++) {
      for (let old = 0; old <= size; old++) {
        const proof = consistencyProof(hasher, range(0, old), range(old, size));
        expect(proof.map(hex)).toEqual(old === 0 || old === size ? [] : subproof(old, 0, size, true).map(hex));
        const [before, after] = [
          { size: old, root: root(0, old) },
          { size, root: root(0, size) },
        ];
        expect(isConsistent(hasher, before, after, proof)).toBe(true);
        expect(isConsistent(hasher, before, after, [...proof, leaves[0]!])).toBe(false);
        if (old === 0) continue;
        expect(isConsistent(hasher, { ...before, root: leaves[69]! }, after, proof)).toBe(false);
        expect(isConsistent(hasher, before, { ...after, root: leaves[69]! }, proof)).toBe(false);
        if (proof.length > 0) expect(isConsistent(hasher, before, after, proof.slice(1))).toBe(false);
      }
    }
  });
});
