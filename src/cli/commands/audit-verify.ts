import { readLine, readSmallFile } from '../../adapters/audit-log/line-reader.ts';
import { segmentPath } from '../../adapters/audit-log/segments.ts';
import type { KeptNotes, LogVerification } from '../../adapters/audit-log/verify-log.ts';
import { parseCheckpoint } from '../../core/audit/checkpoint.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { LOOKS_LIKE, PROBLEMS, type Problem } from '../../core/audit/verify.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { auditDirectory, noLog } from '../audit-directory.ts';
import type { TrustOptions } from '../audit-trust.ts';
import { print, printJson } from '../render/print.ts';
import { receiptLine } from '../render/receipt.ts';
import { verificationText } from '../render/verification-text.ts';
import { verifyHere } from '../verify-here.ts';

export type VerifyOptions = TrustOptions & {
  log?: string;
  sinceCheckpoint?: string;
  expect?: string;
  anchors?: boolean;
  json?: boolean;
};

/** Checks the log with the public key alone; needs no daemon and no private key. Exits 1 when anything does not fit. */
export async function auditVerify(options: VerifyOptions): Promise<number> {
  const { log, json = false, sinceCheckpoint, expect } = options;
  const directory = auditDirectory(log);
  const expected = expect === undefined ? [] : [parseExpected(expect)];
  const given = sinceCheckpoint === undefined ? [] : [givenCheckpoint(sinceCheckpoint)];
  const { result, by, keys } = await verifyHere(directory, { ...options, given, expected });
  // Nothing that is nowhere missed was never a log: whoever named a wrong directory is not told that all is well.
  if (result.ok && result.files === 0) throw noLog(directory, log !== undefined);
  const record = recordAt(directory, result.problems[0]);
  if (json) printJson(asJson(result, { directory, trusted: by, keys, record }));
  else print(verificationText({ result, directory, by, keys, about: aboutText(record) }));
  return result.ok ? 0 : 1;
}

function givenCheckpoint(file: string): KeptNotes {
  let text: string | undefined;
  try {
    text = readSmallFile(file, LONGEST_NOTE)?.toString();
  } catch (cause) {
    throw new GatekeeperError('GK_USAGE', {
      ...{ what: 'the checkpoint cannot be read', where: file, cause },
      remedy: 'name a copy of the file named checkpoint beside the log',
    });
  }
  if (text === undefined || parseCheckpoint(text) === undefined) {
    throw new GatekeeperError('GK_USAGE', {
      what: 'the file is not a checkpoint',
      where: file,
      remedy: 'keep a copy of the file named checkpoint beside the log',
    });
  }
  return { holder: file, notes: [text], given: true };
}

function parseExpected(text: string): { holder: string; size: number; root: string } {
  const [, size, root] = /^([1-9]\d{0,14}):([A-Za-z0-9+/]{43}=)$/.exec(text) ?? [];
  if (size !== undefined && root !== undefined) return { holder: '--expect', size: Number(size), root };
  throw new GatekeeperError('GK_USAGE', {
    what: `${text} is not a size and a root`,
    remedy: 'take them from what an earlier verification printed, as in --expect 1234:ROOT',
  });
}

/** The entry that a problem is about, as far as it can be read: nothing that it says is proven. */
function recordAt(directory: string, problem: Problem | undefined): AuditRecord | undefined {
  if (problem?.file === undefined || problem.line === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(readLine(segmentPath(directory, problem.file), problem.line) ?? '');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as AuditRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** Whatever the entry was made into, it must not keep the verdict on it from being told. */
function aboutText(record: AuditRecord | undefined): string | undefined {
  try {
    return record && receiptLine(record).trim();
  } catch {
    return 'an entry with members of the wrong kinds';
  }
}

function asJson(
  result: LogVerification,
  more: { directory: string; trusted: string; keys: string[]; record: AuditRecord | undefined },
): unknown {
  const problems = result.problems.map((problem) => ({
    ...problem,
    what: PROBLEMS[problem.kind],
    looksLike: LOOKS_LIKE[problem.kind],
  }));
  const { directory, trusted, keys, record } = more;
  return {
    ...result,
    problems,
    behind: Math.max(0, result.head.seq - (result.checkpoint?.size ?? 0)),
    log: { id: result.log, directory },
    trusted,
    fingerprints: keys,
    firstBadRecord: record,
  };
}

const LONGEST_NOTE = 64 * 1024;
