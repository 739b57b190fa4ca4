import type { SignedCheckpoint } from './checkpoint.ts';
import { isConsistent, rootOfInclusion, type TreeHasher } from './merkle.ts';
import type { EntryProof, GrowthProof } from './proof.ts';

export type ProofCrypto = {
  hasher: TreeHasher;
  /** Whether the key (base64) signed the checkpoint. */
  isSignedBy: (checkpoint: SignedCheckpoint, key: string) => boolean;
  trusts: (key: string) => boolean;
};

/** What is wrong with a proof, in plain words; undefined when it holds. */
export function whatIsWrong(proof: EntryProof | GrowthProof, crypto: ProofCrypto): string | undefined {
  const { checkpoint, key } = proof;
  if (!crypto.trusts(key)) return 'the key in it is not the trusted one';
  if (!crypto.isSignedBy(checkpoint, key)) return 'the checkpoint in it is not signed by the key';
  if (proof.kind === 'entry') return wrongEntry(proof, crypto);
  const { old } = proof;
  if (old.origin !== checkpoint.origin) return 'its checkpoints are of different logs';
  if (!crypto.trusts(proof.oldKey)) return 'the earlier key in it is not a trusted one';
  if (!crypto.isSignedBy(old, proof.oldKey)) return 'the earlier checkpoint in it is not signed by the key';
  const before = { size: old.size, root: bytesOf(old.root) };
  const now = { size: checkpoint.size, root: bytesOf(checkpoint.root) };
  if (isConsistent(crypto.hasher, before, now, proof.hashes)) return undefined;
  return 'what the earlier checkpoint tells of is not the beginning of what the later one tells of';
}

function wrongEntry({ line, index, hashes, checkpoint }: EntryProof, { hasher }: ProofCrypto): string | undefined {
  const leaf = hasher.leaf(line);
  const root = rootOfInclusion(hasher, { index, size: checkpoint.size, leaf, proof: hashes });
  const wanted = bytesOf(checkpoint.root);
  if (root === undefined || !root.every((byte, at) => byte === wanted[at])) {
    return 'the entry in it is not one of those that the checkpoint tells of';
  }
  return seqOf(line) === index + 1 ? undefined : 'the entry in it has another number than its place in the log';
}

function seqOf(line: Uint8Array): number | undefined {
  try {
    const { seq } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line)) as { seq?: unknown };
    return typeof seq === 'number' ? seq : undefined;
  } catch {
    return undefined;
  }
}

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
