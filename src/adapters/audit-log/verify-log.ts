import { hash } from 'node:crypto';
import { setImmediate as giveWay, setTimeout as sleep } from 'node:timers/promises';
import { openHead, type SignedHead } from '../../core/audit/head.ts';
import type { ChainHead } from '../../core/audit/record.ts';
import { ChainVerifier, type Problem, type VerifyCrypto } from '../../core/audit/verify.ts';
import { type LogLine, readHeadFile, readLog } from './read.ts';
import { listSegments } from './segments.ts';

export type LogVerification = {
  ok: boolean;
  entries: number;
  signatures: number;
  head: ChainHead;
  /** Undefined when the log is empty and never had one. */
  signedHead: SignedHead | undefined;
  /** At most 100. */
  problems: Problem[];
  /** Numbers of entries in which the log itself tells of a loss: a mended end, journal records that never came. */
  losses: number[];
};

/**
 * Checks the whole log offline, with nothing but its directory and the public key. May run while a daemon writes: the signed head is
 * read first, so the log is never behind it, and an unfinished last line is looked at again before it counts as torn.
 */
export async function verifyLog(
  directory: string,
  verify: (statement: string, signature: string) => boolean,
): Promise<LogVerification> {
  for (let attempt = 0; ; attempt++) {
    const result = await verifyOnce(directory, { hash: sha256, verify });
    if (attempt === TORN_RETRIES || !result.problems.some(({ kind }) => kind === 'torn-tail')) return result;
    await sleep(TORN_RETRY_MS);
  }
}

/** SHA-256 of a text's UTF-8 bytes in hex. */
export const sha256 = (text: string) => hash('sha256', text, 'hex');

async function verifyOnce(directory: string, crypto: VerifyCrypto): Promise<LogVerification> {
  const headText = readHeadFile(directory);
  const signedHead = headText === undefined ? undefined : openHead(headText, crypto.verify);
  const chain = new ChainVerifier(crypto);
  const problems: Problem[] = missingSegments(directory);
  const losses: number[] = [];
  for (const batch of readLog(directory)) {
    for (const line of batch) {
      problems.push(...checkLine(chain, line));
      if (chain.head.seq === signedHead?.seq && chain.head.hash !== signedHead.hash) {
        problems.push({ kind: 'head-differs', line: chain.entries, seq: chain.head.seq });
      }
      if (line.text !== undefined && LOSS.test(line.text)) losses.push(chain.head.seq);
      if (problems.length >= MAX_PROBLEMS) break;
    }
    if (problems.length >= MAX_PROBLEMS) break;
    await giveWay();
  }
  if (problems.length < MAX_PROBLEMS) problems.push(...checkEnd(chain, headText, signedHead));
  const { entries, signatures, head } = chain;
  return { ok: problems.length === 0, entries, signatures, head, signedHead, problems, losses };
}

function checkLine(chain: ChainVerifier, { text, torn }: LogLine): Problem[] {
  if (torn) return [{ kind: 'torn-tail', line: chain.entries + 1, seq: chain.head.seq + 1 }];
  return chain.line(text ?? '\0');
}

function checkEnd(chain: ChainVerifier, headText: string | undefined, signedHead: SignedHead | undefined): Problem[] {
  const place = { line: chain.entries, seq: chain.head.seq };
  if (signedHead === undefined) {
    return chain.entries > 0 || headText !== undefined ? [{ kind: 'head-missing', ...place }] : [];
  }
  if (chain.head.seq >= signedHead.seq) return [];
  const detail = `the log ends at ${chain.head.seq}, the head of ${signedHead.time} tells of ${signedHead.seq}`;
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
