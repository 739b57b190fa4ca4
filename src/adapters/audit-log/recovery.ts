import { closeSync, fsyncSync, ftruncateSync, openSync, writeFileSync } from 'node:fs';
import { parseCanonical } from '../../core/audit/canonical.ts';
import { hashedText } from '../../core/audit/chain.ts';
import { openHead } from '../../core/audit/head.ts';
import { type AuditFields, CHAIN_START, type ChainHead } from '../../core/audit/record.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { readHeadFile } from './read.ts';
import { listSegments, readTail, segmentPath } from './segments.ts';
import { sha256 } from './verify-log.ts';

export type RecoveredLog = {
  head: ChainHead;
  /** The segment to append to, and its size. */
  segment: number;
  size: number;
  /** What was found and mended; each is to be recorded. */
  findings: Pick<AuditFields, 'kind' | 'text' | 'count'>[];
};

/**
 * Finds where the log stands. Bytes behind the last newline are the trace of a crash in the middle of a write: they are kept in a file
 * of their own and cut off. Whole lines are never touched; a last one that is no entry is not for this program to explain away.
 */
export function recoverLog(
  directory: string,
  { now, verify }: { now: string; verify: (statement: string, signature: string) => boolean },
): RecoveredLog {
  const findings: RecoveredLog['findings'] = [];
  const segments = listSegments(directory);
  const segment = segments.at(-1) ?? 1;
  let head = CHAIN_START;
  let size = 0;
  for (const number of [...segments].reverse()) {
    const path = segmentPath(directory, number);
    const tail = readTail(path);
    if (tail.torn.length > 0) {
      cutTornTail(directory, path, tail.size, tail.torn, now);
      findings.push({
        kind: 'torn-tail',
        text: `an unfinished entry was cut off ${number}.jsonl`,
        count: tail.torn.length,
      });
    }
    if (number === segment) size = tail.size - tail.torn.length;
    if (tail.lastLine === undefined) continue; // made by a rotation, nothing written yet
    head = headOf(tail.lastLine, path);
    break;
  }
  findings.push(...compareHead(directory, head, verify));
  return { head, segment, size, findings };
}

function cutTornTail(directory: string, path: string, size: number, torn: Buffer, now: string): void {
  writeFileSync(`${directory}/torn-${now.replaceAll(':', '')}`, torn, { mode: 0o600 });
  const fd = openSync(path, 'r+');
  try {
    ftruncateSync(fd, size - torn.length);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function headOf(line: string, path: string): ChainHead {
  const record = parseCanonical(line);
  if (record !== undefined && record !== 'other-form') {
    const { seq, hash, sig } = record;
    if (typeof seq === 'number' && typeof hash === 'string' && (sig === undefined || typeof sig === 'string')) {
      if (sha256(hashedText(line, sig === undefined ? { hash } : { hash, sig })) === hash) return { seq, hash };
    }
  }
  throw new GatekeeperError('GK_AUDIT_BROKEN', {
    what: 'the last line of the audit log is no entry',
    where: path,
    remedy: 'see: gatekeeper audit verify; then move the log and its head away together',
  });
}

function compareHead(
  directory: string,
  head: ChainHead,
  verify: (statement: string, signature: string) => boolean,
): RecoveredLog['findings'] {
  const text = readHeadFile(directory);
  if (text === undefined) return head.seq === 0 ? [] : [{ kind: 'head-missing', text: 'the signed head was gone' }];
  const signed = openHead(text, verify);
  if (signed === undefined) return [{ kind: 'head-invalid', text: 'the signed head is not signed by the key' }];
  if (signed.seq > head.seq) {
    const what = `the signed head of ${signed.time} tells of entry ${signed.seq} (${signed.hash}), the log ended at ${head.seq}`;
    return [{ kind: 'tail-cut', text: what, count: signed.seq - head.seq }];
  }
  if (signed.seq === head.seq && signed.hash !== head.hash) {
    return [
      {
        kind: 'head-differs',
        text: `entry ${head.seq} is not the one that the signed head of ${signed.time} tells of`,
      },
    ];
  }
  return [];
}
