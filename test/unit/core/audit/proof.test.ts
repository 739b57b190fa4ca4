import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isSignedByKey } from '../../../../src/adapters/audit-log/prove.ts';
import { treeHasher } from '../../../../src/adapters/audit-log/tree-hasher.ts';
import { noteKeyId } from '../../../../src/adapters/keys/public-key.ts';
import { openSigningKey } from '../../../../src/adapters/keys/signing-key.ts';
import { whatIsWrong } from '../../../../src/core/audit/check-proof.ts';
import { originOf, parseCheckpoint, sealCheckpoint } from '../../../../src/core/audit/checkpoint.ts';
import { CompactRange, consistencyProof, inclusionProof } from '../../../../src/core/audit/merkle.ts';
import { entryProofText, growthProofText, parseProof } from '../../../../src/core/audit/proof.ts';
import { allowed, chainOf } from '../../../support/audit-chain.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const signer = openSigningKey(temporaryDirectory());
const key = Buffer.from(signer.publicKey).toString('base64');
const origin = originOf(createHash('md5').update('x').digest('hex'));
const lines = chainOf(Array.from({ length: 11 }, (_, at) => allowed(`/${at}`))).map((line) => Buffer.from(line));

function range(from: number, to: number): CompactRange {
  const made = new CompactRange(treeHasher, from);
  for (const line of lines.slice(from, to)) made.add(treeHasher.leaf(line));
  return made;
}
function noteOf(size: number): string {
  const root = Buffer.from(range(0, size).root()).toString('base64');
  return sealCheckpoint({ origin, size, root }, noteKeyId(origin, signer.publicKey), signer.sign);
}
function entryProof(index: number, size = lines.length): string {
  const hashes = inclusionProof(treeHasher, range(0, index), range(index + 1, size));
  return entryProofText({ line: lines[index]!, key, index, hashes }, noteOf(size));
}
function growthProof(from: number, to: number): string {
  const hashes = consistencyProof(treeHasher, range(0, from), range(from, to));
  return growthProofText({ key, oldKey: key, hashes }, noteOf(from), noteOf(to));
}
function holds(text: string): boolean {
  const proof = parseProof(text);
  const crypto = { hasher: treeHasher, isSignedBy: isSignedByKey, trusts: (one: string) => one === key };
  return proof !== undefined && whatIsWrong(proof, crypto) === undefined;
}

describe('a proof', () => {
  test('holds for every entry of every tree', () => {
    for (let size = 1; size <= lines.length; size++) {
      for (let index = 0; index < size; index++) expect(holds(entryProof(index, size))).toBe(true);
    }
  });

  test('holds from every size to every other one', () => {
    for (let from = 0; from <= lines.length; from++) {
      for (let to = from; to <= lines.length; to++) expect(holds(growthProof(from, to)), `${from} ${to}`).toBe(true);
    }
  });

  test.each([
    ['of an entry', entryProof(6)],
    ['of growth', growthProof(5, 11)],
  ])('%s does not survive a single changed, removed or added byte', (_name, proof) => {
    expect(holds(proof)).toBe(true);
    for (let at = 0; at < proof.length; at++) {
      const [before, after] = [proof.slice(0, at), proof.slice(at + 1)];
      for (const other of [proof[at] === 'A' ? 'B' : 'A', proof[at] === '1' ? '2' : '1', '\n', '']) {
        if (other === proof[at]) continue;
        // One newline of several in a row is the same one as the next.
        if (`${before}${other}${after}` === proof) continue;
        expect(holds(`${before}${other}${after}`), `byte ${at} ${JSON.stringify(other)}`).toBe(false);
      }
      expect(holds(`${before}A${proof[at]}${after}`), `before byte ${at}`).toBe(false);
    }
    expect(holds(`${proof}\n`)).toBe(false);
  });

  test('is not one with another entry, of another size, or by another key', () => {
    const proof = parseProof(entryProof(6));
    if (proof?.kind !== 'entry') throw new Error('no proof');
    const crypto = { hasher: treeHasher, isSignedBy: isSignedByKey, trusts: () => true };
    expect(whatIsWrong({ ...proof, line: lines[5]! }, crypto)).toContain('not one of those');
    expect(whatIsWrong({ ...proof, checkpoint: parseCheckpoint(noteOf(10))! }, crypto)).toContain('not one of those');
    expect(whatIsWrong(proof, { ...crypto, trusts: () => false })).toContain('not the trusted one');
    expect(whatIsWrong(proof, { ...crypto, isSignedBy: () => false })).toContain('not signed');
  });

  test.each(['', '\n\n', 'c2sp.org/tlog-proof@v1', 'c2sp.org/tlog-proof@v1\n\n', '-----BEGIN\n\n'])(
    'is not %j',
    (other) => {
      expect(parseProof(other)).toBeUndefined();
    },
  );
});
