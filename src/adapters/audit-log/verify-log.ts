import { hash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type Checkpoint, parseCheckpoint } from '../../core/audit/checkpoint.ts';
import { compareKept, compareOwnCheckpoint } from '../../core/audit/compare-checkpoint.ts';
import type { ChainHead } from '../../core/audit/record.ts';
import { MOST_PROBLEMS, type Problem } from '../../core/audit/verify.ts';
import type { KeyUse } from './log-verifier.ts';
import { isSignedByKey } from './prove.ts';
import { readCheckpointFile } from './read.ts';
import { listSegments, segmentPath } from './segments.ts';
import { VerifyAhead } from './verify-ahead.ts';
import { type FilesVerification, FilesWentAway, verifyFiles } from './verify-files.ts';

/** Checkpoints (signed notes) that somebody else keeps. `given`: as ones of this very log. `error`: why they, or some of them, could not be read. */
export type KeptNotes = {
  holder: string;
  notes: readonly string[];
  given?: boolean | undefined;
  error?: string | undefined;
};

/** The public key that is trusted. */
export type Trust = {
  trusts: (publicKey: Uint8Array) => boolean;
  /** When it is known, and not a fingerprint alone. */
  publicKey?: Uint8Array | undefined;
};

export type VerifyOptions = {
  /** Read before the log is, so that a log which is written meanwhile is never behind them. */
  kept?: readonly KeptNotes[];
  /** Size and root (base64) that the log must have had. */
  expected?: readonly { holder: string; size: number; root: string }[];
  progress?: (done: Progress) => void;
  /** Threads beside this one; as many as there are processors when the log is large. */
  threads?: number;
};
export type Progress = { entries: number; bytes: number; totalBytes: number };

export type LogVerification = {
  ok: boolean;
  entries: number;
  signatures: number;
  head: ChainHead;
  /** Identifies the log. */
  log: string | undefined;
  /** Numbers of the first entry and the last one. */
  first: number;
  files: number;
  bytes: number;
  /** In their order, base64, each with the first entry that it signs. */
  keys: readonly KeyUse[];
  /** Undefined when the log is empty and never had one. */
  checkpoint: Checkpoint | undefined;
  /** At most 100, the first bad entry first. */
  problems: Problem[];
  /** Numbers of entries in which the log itself tells of a loss: a mended end, journal records that never came. The first thousand, and how many there are. */
  losses: number[];
  lossCount: number;
  /** Who else was asked. `compared`: checkpoints of this log; `ignored`: what is no checkpoint, or of other logs. */
  kept: { holder: string; compared: number; ignored: number; error?: string | undefined }[];
};

/**
 * Checks the whole log offline, with nothing but its directory and the public key. May run while a daemon writes: checkpoints are
 * read first, so the log is never behind them, and an unfinished last line is looked at again before it counts as torn.
 * @throws when a file cannot be read
 */
export async function verifyLog(
  directory: string,
  trust: Trust,
  options: VerifyOptions = {},
): Promise<LogVerification> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await verifyOnce(directory, trust, options);
    } catch (error) {
      if (!(error instanceof FilesWentAway) || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

/** SHA-256 of a text's UTF-8 bytes in hex. */
export const sha256 = (text: string) => hash('sha256', text, 'hex');

async function verifyOnce(directory: string, trust: Trust, options: VerifyOptions): Promise<LogVerification> {
  const own = readCheckpointFile(directory);
  const note = own === undefined ? undefined : parseCheckpoint(own);
  const kept = parseKept(options.kept ?? []);
  const notes = [...(note ? [note] : []), ...kept.flatMap(({ notes }) => notes), ...(options.expected ?? [])];
  const watched = [...new Set(notes.map(({ size }) => size))].sort((a, b) => a - b);
  readdirSync(directory); // a directory that cannot be read is not an empty log
  const files = listSegments(directory);
  const sizes = files.map((file) => sizeOf(segmentPath(directory, file)));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  const read = await readFiles(directory, files, { trust, watched, bytes, options });
  const problems = [
    ...read.problems,
    ...unknownKey(read, trust),
    ...(read.entries > 0 || own !== undefined ? compareOwnCheckpoint(read, note, isSignedByKey) : []),
  ];
  const trusted = trust.publicKey === undefined ? [] : [Buffer.from(trust.publicKey).toString('base64')];
  const compared = kept.map(({ holder, notes, given, ignored, error }) => {
    let about = 0;
    for (const one of notes) {
      const found = compareKept(read, { holder, note: one, given }, trusted, isSignedByKey);
      if (found.about) about += 1;
      if (problems.length < MOST_PROBLEMS) problems.push(...found.problems);
    }
    return { holder, compared: about, ignored: ignored + notes.length - about, error };
  });
  problems.push(...(options.expected ?? []).flatMap((one) => compareExpected(read, one)));
  problems.splice(MOST_PROBLEMS);
  const checkpoint = note && { origin: note.origin, size: note.size, root: note.root };
  return {
    ...{
      ok: problems.length === 0,
      entries: read.entries,
      signatures: read.signatures,
      head: read.head,
      log: read.log,
    },
    ...{ first: read.begin + 1, files: files.length, bytes, keys: read.keys, checkpoint, problems },
    ...{ losses: read.losses, lossCount: read.lossCount, kept: compared },
  };
}

async function readFiles(
  directory: string,
  files: readonly number[],
  { trust, watched, bytes, options }: { trust: Trust; watched: number[]; bytes: number; options: VerifyOptions },
): Promise<FilesVerification> {
  const done: Progress = { entries: 0, bytes: 0, totalBytes: bytes };
  const progress = (entries: number, more: number) => {
    done.entries += entries;
    done.bytes = Math.min(done.bytes + more, bytes);
    options.progress?.(done);
  };
  const trusted = trust.publicKey && Buffer.from(trust.publicKey).toString('base64');
  const common = { trusted, watched, progress };
  const threads = Math.min(options.threads ?? threadsFor(bytes), files.length);
  if (threads < 1) return await verifyFiles(directory, files, common);
  const ahead = new VerifyAhead({ directory, watched }, files, threads, progress);
  try {
    return await verifyFiles(directory, files, common, ahead.take);
  } finally {
    await ahead.close();
  }
}

/** To start threads takes as long as to read a small log. */
const threadsFor = (bytes: number) =>
  bytes < WORTH_THREADS_BYTES ? 0 : Math.min(availableParallelism(), MOST_THREADS);

/** The key that is trusted must be one of those that follow each other by entries that both stand by. */
function unknownKey({ keys, entries }: FilesVerification, { trusts }: Trust): Problem[] {
  if (entries === 0 || keys.some(({ key }) => trusts(Buffer.from(key, 'base64')))) return [];
  return [{ kind: 'key-unknown', seq: keys[0]?.from ?? 1 }];
}

function parseKept(kept: readonly KeptNotes[]) {
  return kept.map(({ holder, notes, given, error }) => {
    const good = notes.map(parseCheckpoint).filter((note) => note !== undefined);
    return { holder, given, error, notes: good, ignored: notes.length - good.length };
  });
}

function compareExpected(
  { end, roots }: FilesVerification,
  { holder, size, root }: { holder: string; size: number; root: string },
): Problem[] {
  if (size > end)
    return [{ kind: 'rolled-back', seq: end + 1, detail: `the log ends at ${end}, ${holder} tells of ${size}` }];
  return roots.get(size) === root ? [] : [{ kind: 'forked', seq: size, detail: holder }];
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

const MOST_ATTEMPTS = 5;
const MOST_THREADS = 8;
const WORTH_THREADS_BYTES = 24 * 1024 * 1024;
