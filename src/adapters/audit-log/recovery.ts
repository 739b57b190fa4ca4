import { closeSync, fsyncSync, ftruncateSync, openSync, writeFileSync } from 'node:fs';
import { parseCanonical } from '../../core/audit/canonical.ts';
import { hashedText } from '../../core/audit/chain.ts';
import { isSignedBy, originOf, parseCheckpoint } from '../../core/audit/checkpoint.ts';
import { type AuditFields, CHAIN_START, type ChainHead } from '../../core/audit/record.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { readCheckpointFile } from './read.ts';
import { hashText } from './seal-batch.ts';
import { resumeTree, type SegmentStart } from './segment-start.ts';
import { listSegments, readTail, segmentPath } from './segments.ts';

export type RecoveredLog = {
  head: ChainHead;
  /** The segment to append to, and its size. */
  segment: number;
  size: number;
  /** Undefined for a log without entries. */
  start: SegmentStart | undefined;
  /** What was found and mended; each is to be recorded. */
  findings: Pick<AuditFields, 'kind' | 'text' | 'count'>[];
};

export type RecoverOptions = {
  now: string;
  signer: { keyId: (name: string) => string };
  verify: (statement: string, signature: string) => boolean;
};

/**
 * Finds where the log stands. Bytes behind the last newline are the trace of a crash in the middle of a write: they are kept in a file
 * of their own and cut off. Whole lines are never touched; a last one that is no entry is not for this program to explain away.
 */
export function recoverLog(directory: string, { now, signer, verify }: RecoverOptions): RecoveredLog {
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
  const start = resumeTree(directory);
  findings.push(...compareCheckpoint(directory, start, { signer, verify }));
  return { head, segment, size, start, findings };
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
      if (hashText(hashedText(line, sig === undefined ? { hash } : { hash, sig })) === hash) return { seq, hash };
    }
  }
  throw new GatekeeperError('GK_AUDIT_BROKEN', {
    what: 'the last line of the audit log is no entry',
    where: path,
    remedy: 'see: gatekeeper audit verify; then move the log away',
  });
}

function compareCheckpoint(
  directory: string,
  start: SegmentStart | undefined,
  { signer, verify }: Omit<RecoverOptions, 'now'>,
): RecoveredLog['findings'] {
  const note = readCheckpointFile(directory);
  const size = start?.tree.end ?? 0;
  if (note === undefined)
    return size === 0 ? [] : [{ kind: 'checkpoint-missing', text: 'the signed checkpoint was gone' }];
  const signed = parseCheckpoint(note);
  if (signed === undefined || !isSignedBy(signed, signer.keyId(signed.origin), verify))
    return [{ kind: 'checkpoint-invalid', text: 'the signed checkpoint is not signed by the key' }];
  const told = `the signed checkpoint tells of entry ${signed.size} of ${signed.origin} (root ${signed.root})`;
  if (start === undefined || signed.origin !== originOf(start.log))
    return [{ kind: 'log-replaced', text: `${told}, which is not here`, count: signed.size }];
  if (signed.size > size)
    return [{ kind: 'tail-cut', text: `${told}, the log ended at ${size}`, count: signed.size - size }];
  if (signed.size === size && signed.root !== Buffer.from(start.tree.root()).toString('base64'))
    return [{ kind: 'checkpoint-differs', text: `${told}, the entries up to there are others` }];
  return [];
}
