import { closeSync, fsyncSync, ftruncateSync, openSync, writeFileSync } from 'node:fs';
import { parseCanonical } from '../../core/audit/canonical.ts';
import { hashedText } from '../../core/audit/chain.ts';
import { isSignedBy, originOf, parseCheckpoint, type SignedCheckpoint } from '../../core/audit/checkpoint.ts';
import { type AuditFields, CHAIN_START, type ChainHead } from '../../core/audit/record.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { noteKeyId, verifyWith } from '../keys/public-key.ts';
import { readCheckpointFile } from './read.ts';
import { hashText } from './seal-batch.ts';
import { type ResumedTree, resumeTree } from './segment-start.ts';
import { listSegments, readTail, segmentPath } from './segments.ts';

export type RecoveredLog = {
  head: ChainHead;
  /** The segment to append to, and its size. */
  segment: number;
  size: number;
  /** Undefined for a log without entries. */
  start: ResumedTree | undefined;
  /** How many entries the last checkpoint tells of; 0 without one. */
  sealed: number;
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
  const note = readCheckpointFile(directory);
  const signed = note === undefined ? undefined : parseCheckpoint(note);
  const start = resumeTree(directory, signed?.size);
  if (note !== undefined) findings.push(...compareCheckpoint(signed, start, { signer, verify }));
  else if (start !== undefined) findings.push({ kind: 'checkpoint-missing', text: 'the signed checkpoint was gone' });
  return { head, segment, size, start, sealed: signed?.size ?? 0, findings };
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
  signed: SignedCheckpoint | undefined,
  start: ResumedTree | undefined,
  key: Pick<RecoverOptions, 'signer' | 'verify'>,
): RecoveredLog['findings'] {
  if (signed === undefined || !isOwn(signed, start, key))
    return [{ kind: 'checkpoint-invalid', text: 'the signed checkpoint is not signed by the key' }];
  const size = start?.tree.end ?? 0;
  const told = `the signed checkpoint tells of entry ${signed.size} of ${signed.origin} (root ${signed.root})`;
  if (start === undefined || signed.origin !== originOf(start.log))
    return [{ kind: 'log-replaced', text: `${told}, which is not here`, count: signed.size }];
  if (signed.size > size)
    return [{ kind: 'tail-cut', text: `${told}, the log ended at ${size}`, count: signed.size - size }];
  if (start.root !== undefined && signed.root !== Buffer.from(start.root).toString('base64'))
    return [{ kind: 'checkpoint-differs', text: `${told}, the entries up to there are others` }];
  return [];
}

/** By the key, or by one that the log says was changed behind it: a crash may have come before the next checkpoint. */
function isOwn(
  note: SignedCheckpoint,
  start: ResumedTree | undefined,
  { signer, verify }: Pick<RecoverOptions, 'signer' | 'verify'>,
): boolean {
  if (isSignedBy(note, signer.keyId(note.origin), verify)) return true;
  return (start?.formerKeys ?? []).some(({ key, until }) => {
    const bytes = Buffer.from(key, 'base64');
    return note.size < until && isSignedBy(note, noteKeyId(note.origin, bytes), verifyWith(bytes));
  });
}
