import { statSync, unlinkSync } from 'node:fs';
import { setImmediate as giveWay } from 'node:timers/promises';
import type { AuditSettings } from '../../core/audit/settings.ts';
import type { AuditLog } from './audit-log.ts';
import { readLog } from './read.ts';
import { listSegments, readFirstLine, segmentPath } from './segments.ts';

export type RetentionOptions = {
  directory: string;
  /** Neither of them: everything is kept. */
  keep: Pick<AuditSettings, 'keepAgeMs' | 'keepBytes'>;
  log: Pick<AuditLog, 'append' | 'writeCheckpoint'>;
  /** Whether somebody outside of the directory holds a checkpoint over that many entries, now or soon. */
  anchored: (size: number) => Promise<boolean>;
  /** Number of the first entry that is still needed. */
  neededFrom: () => number;
  /** RFC 3339, UTC. */
  now: () => string;
  /** For tests. */
  unlink?: (path: string) => void;
};

/** A file whose entries end before those of the next one begin. */
type FullFile = { segment: number; bytes: number; last: number; endedAt: number };

/**
 * Removes the log's oldest files, as its settings say. Never one whose end nobody else has a checkpoint of. That they go is an entry, signed and known outside
 * before the first of them is gone, so that nobody can pass off a removal of his own as this one.
 */
export class Retention {
  readonly #options: RetentionOptions;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** How many files went. One at a time; what comes meanwhile is looked at afterwards. */
  run(): Promise<number> {
    const mine = this.#work.then(() => this.#prune());
    this.#work = mine.catch(() => undefined);
    return mine;
  }

  /** Removes what an earlier process announced and did not come to. */
  finish(): Promise<number> {
    const mine = this.#work.then(() => this.#finish());
    this.#work = mine.catch(() => undefined);
    return mine;
  }

  async #prune(): Promise<number> {
    const { directory, log, anchored, now } = this.#options;
    const gone = await this.#over();
    const last = gone.at(-1);
    if (last === undefined || !(await anchored(last.last))) return 0;
    const count = last.last - firstSeq(directory, gone[0]!.segment)! + 1;
    const bytes = gone.reduce((sum, file) => sum + file.bytes, 0);
    const text = `removed as the settings of the log say; files: ${gone.length}, bytes: ${bytes}`;
    const { segment } = last;
    const { seq } = await log.append([{ action: 'pruned', time: now(), segment, last: last.last, count, text }]);
    await log.writeCheckpoint();
    return (await anchored(seq)) ? this.#remove(segment) : 0;
  }

  /** The oldest files, as many as are too much. */
  async #over(): Promise<FullFile[]> {
    const { directory, keep, neededFrom, now } = this.#options;
    if (keep.keepAgeMs === undefined && keep.keepBytes === undefined) return [];
    const segments = listSegments(directory);
    const sizes = segments.map((segment) => statSync(segmentPath(directory, segment)).size);
    let left = sizes.reduce((sum, size) => sum + size, 0);
    const needed = neededFrom();
    const oldest = Date.parse(now()) - (keep.keepAgeMs ?? Number.POSITIVE_INFINITY);
    const gone: FullFile[] = [];
    for (const [at, segment] of segments.slice(0, -1).entries()) {
      const next = firstEntry(directory, segments[at + 1]!);
      if (next === undefined || firstSeq(directory, segment) === undefined) break; // for a verifier, not for this
      const file = { segment, bytes: sizes[at]!, last: next.seq - 1, endedAt: Date.parse(next.time) };
      if (file.last >= needed || (left <= (keep.keepBytes ?? left) && !(file.endedAt < oldest))) break;
      gone.push(file);
      left -= file.bytes;
      if (at % FILES_A_TURN === 0) await giveWay();
    }
    return gone;
  }

  async #finish(): Promise<number> {
    const { directory, anchored } = this.#options;
    const segments = listSegments(directory);
    if (segments.length < 2) return 0;
    let announced: { seq: number; segment: number } | undefined;
    for (const lines of readLog(directory, segments.at(-2))) {
      for (const { text } of lines) announced = (text && pruningOf(text)) || announced;
      await giveWay();
    }
    if (announced === undefined || announced.segment < segments[0]! || announced.segment >= segments.at(-1)!) return 0;
    return (await anchored(announced.seq)) ? this.#remove(announced.segment) : 0;
  }

  /** The oldest first: whatever ends this, what is left is the end of the log without a hole. */
  #remove(upTo: number): number {
    const { directory, unlink = unlinkSync } = this.#options;
    const gone = listSegments(directory).filter((segment) => segment <= upTo);
    for (const segment of gone) unlink(segmentPath(directory, segment));
    return gone.length;
  }
}

const firstSeq = (directory: string, segment: number) => firstEntry(directory, segment)?.seq;

function firstEntry(directory: string, segment: number): { seq: number; time: string } | undefined {
  try {
    const { seq, time } = JSON.parse(readFirstLine(segmentPath(directory, segment)) ?? '') as Record<string, unknown>;
    return typeof seq === 'number' && typeof time === 'string' ? { seq, time } : undefined;
  } catch {
    return undefined;
  }
}

/** Canonical form begins with the action. */
function pruningOf(line: string): { seq: number; segment: number } | undefined {
  if (!line.startsWith('{"action":"pruned"')) return undefined;
  const { seq, segment } = JSON.parse(line) as { seq: number; segment: number };
  return { seq, segment };
}

const FILES_A_TURN = 64;
