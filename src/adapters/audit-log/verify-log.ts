import { hash } from 'node:crypto';
import { setImmediate as giveWay, setTimeout as sleep } from 'node:timers/promises';
import { type Checkpoint, isSignedBy, originOf, parseCheckpoint } from '../../core/audit/checkpoint.ts';
import { CompactRange } from '../../core/audit/merkle.ts';
import type { ChainHead } from '../../core/audit/record.ts';
import { ChainVerifier, type Problem } from '../../core/audit/verify.ts';
import { type LogLine, readCheckpointFile, readLog } from './read.ts';
import { segmentStart } from './segment-start.ts';
import { listSegments } from './segments.ts';
import { treeHasher } from './tree-hasher.ts';

export type LogVerification = {
  ok: boolean;
  entries: number;
  signatures: number;
  head: ChainHead;
  /** Undefined when the log is empty and never had one. */
  checkpoint: Checkpoint | undefined;
  /** At most 100. */
  problems: Problem[];
  /** Numbers of entries in which the log itself tells of a loss: a mended end, journal records that never came. */
  losses: number[];
};

/**
 * Checks the whole log offline, with nothing but its directory and the public key. May run while a daemon writes: the checkpoint is
 * read first, so the log is never behind it, and an unfinished last line is looked at again before it counts as torn.
 */
export async function verifyLog(directory: string, key: VerifyKey): Promise<LogVerification> {
  for (let attempt = 0; ; attempt++) {
    const result = await verifyOnce(directory, key);
    if (attempt === TORN_RETRIES || !result.problems.some(({ kind }) => kind === 'torn-tail')) return result;
    await sleep(TORN_RETRY_MS);
  }
}

/** The public key that is trusted. */
export type VerifyKey = {
  keyId: (name: string) => string;
  verify: (statement: string, signature: string) => boolean;
};

/** SHA-256 of a text's UTF-8 bytes in hex. */
export const sha256 = (text: string) => hash('sha256', text, 'hex');

async function verifyOnce(directory: string, key: VerifyKey): Promise<LogVerification> {
  const note = readCheckpointFile(directory);
  const checkpoint = note === undefined ? undefined : openCheckpoint(note, key);
  const chain = new ChainVerifier({ hash: sha256, verify: key.verify });
  const tree = new CompactRange(treeHasher);
  const problems: Problem[] = missingSegments(directory);
  const losses: number[] = [];
  let log: string | undefined;
  for (const batch of readLog(directory)) {
    for (const line of batch) {
      problems.push(...checkLine(chain, line));
      if (chain.entries === 1) log = segmentStart(line.text ?? '')?.log;
      if (!line.torn) tree.add(treeHasher.leaf(Buffer.from(line.text ?? '')));
      if (tree.end === checkpoint?.size && Buffer.from(tree.root()).toString('base64') !== checkpoint.root) {
        problems.push({ kind: 'checkpoint-differs', line: chain.entries, seq: chain.head.seq });
      }
      if (line.text !== undefined && LOSS.test(line.text)) losses.push(chain.head.seq);
      if (problems.length >= MAX_PROBLEMS) break;
    }
    if (problems.length >= MAX_PROBLEMS) break;
    await giveWay();
  }
  if (problems.length < MAX_PROBLEMS) problems.push(...checkEnd(chain, log, note, checkpoint));
  const { entries, signatures, head } = chain;
  return { ok: problems.length === 0, entries, signatures, head, checkpoint, problems, losses };
}

function openCheckpoint(note: string, { keyId, verify }: VerifyKey): Checkpoint | undefined {
  const signed = parseCheckpoint(note);
  if (signed === undefined || !isSignedBy(signed, keyId(signed.origin), verify)) return undefined;
  const { origin, size, root } = signed;
  return { origin, size, root };
}

function checkLine(chain: ChainVerifier, { text, torn }: LogLine): Problem[] {
  if (torn) return [{ kind: 'torn-tail', line: chain.entries + 1, seq: chain.head.seq + 1 }];
  return chain.line(text ?? '\0');
}

function checkEnd(
  chain: ChainVerifier,
  log: string | undefined,
  note: string | undefined,
  checkpoint: Checkpoint | undefined,
): Problem[] {
  const place = { line: chain.entries, seq: chain.head.seq };
  if (checkpoint === undefined)
    return chain.entries > 0 || note !== undefined ? [{ kind: 'checkpoint-missing', ...place }] : [];
  if (log !== undefined && checkpoint.origin !== originOf(log)) {
    return [{ kind: 'checkpoint-differs', ...place, detail: `it is that of ${checkpoint.origin}` }];
  }
  if (chain.entries >= checkpoint.size) return [];
  const detail = `the log ends at ${chain.entries}, the checkpoint tells of ${checkpoint.size}`;
  return [{ kind: 'tail-cut', line: chain.entries + 1, seq: chain.head.seq + 1, detail }];
}

function missingSegments(directory: string): Problem[] {
  const segments = listSegments(directory);
  return segments
    .flatMap((segment, at): Problem[] =>
      segment === at + 1 ? [] : [{ kind: 'segment-missing', line: 0, seq: 0, detail: `before ${segment}` }],
    )
    .slice(0, 1);
}

/** Canonical form begins with the action, so this cannot match a text inside another member. */
const LOSS = /^\{"action":"(?:gap|damage|recovered)"/;
const MAX_PROBLEMS = 100;
const TORN_RETRIES = 3;
const TORN_RETRY_MS = 50;
