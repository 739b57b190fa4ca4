import { setImmediate as giveWay, setTimeout as sleep } from 'node:timers/promises';
import type { ReadLog } from '../../core/audit/compare-checkpoint.ts';
import { MOST_PROBLEMS, type Problem } from '../../core/audit/verify.ts';
import { LineReader, NotAFile } from './line-reader.ts';
import { type KeyUse, type LogState, LogVerifier } from './log-verifier.ts';
import { listSegments, segmentPath } from './segments.ts';
import type { SoundFile } from './verify-file.ts';

export type FilesOptions = {
  trusted: string | undefined;
  watched: readonly number[];
  /** Hears of every step: how many entries more were read, and bytes. */
  progress: (entries: number, bytes: number) => void;
  quick?: boolean | undefined;
};

export type FilesVerification = ReadLog & {
  entries: number;
  signatures: number;
  head: LogState['head'];
  problems: Problem[];
  losses: number[];
  lossCount: number;
};

/** Files went away while they were read: whoever reads begins anew. */
export class FilesWentAway extends Error {}

/**
 * Puts together what the files of a log come to. `ahead` are results for files that were checked by themselves, each from what it begins with: one counts if
 * that is exactly what the files before it lead to. All others are read here, so that the first bad entry is the same as if there were no such results.
 */
export async function verifyFiles(
  directory: string,
  files: readonly number[],
  options: FilesOptions,
  ahead: (file: number) => Promise<SoundFile | undefined> = async () => undefined,
): Promise<FilesVerification> {
  const sum = new Sum();
  sum.problems.push(...missingFiles(files));
  for (const file of files) {
    if (sum.problems.length >= MOST_PROBLEMS) break;
    const sound = await ahead(file);
    if (sound !== undefined && sum.takes(sound)) continue;
    const verifier = new LogVerifier({
      from: sum.state,
      trusted: options.trusted,
      watched: options.watched,
      ...(options.quick === undefined ? {} : { quick: options.quick }),
    });
    sum.problems.push(...(await verifyHere(directory, file, file === files.at(-1), verifier, options)));
    sum.add(verifier, file);
  }
  return sum.result(files[0] ?? 1);
}

/** What is known behind the files so far. */
class Sum {
  readonly problems: Problem[] = [];
  readonly #losses: number[] = [];
  readonly #roots = new Map<number, string>();
  #lossCount = 0;
  #entries = 0;
  #signatures = 0;
  #begin: number | undefined;
  #pruned: { segment: number; last: number } | undefined;
  state: LogState | undefined;

  /** Adds a file that was checked from its own beginning, if that is where the files before it end. */
  takes(file: SoundFile): boolean {
    const { state } = this;
    if (state !== undefined && !isSame(state, file.from)) return false;
    if (state === undefined && file.from.head.seq === 0 && file.file !== 1) return false;
    const keys = [...(state?.keys ?? file.from.keys), ...file.end.keys.slice(1)];
    this.#begin ??= file.from.head.seq;
    this.state = { ...file.end, keys };
    this.#take(file);
    return true;
  }

  add(verifier: LogVerifier, file: number): void {
    const { state, entries, losses, lossCount, roots, pruned } = verifier;
    if (entries > 0) this.#begin ??= verifier.begin;
    const signatures = verifier.signatures;
    this.problems.push(...verifier.problems);
    this.problems.splice(MOST_PROBLEMS);
    if (entries > 0 || this.state !== undefined) this.state = state;
    this.#take({ file, from: state, end: state, entries, signatures, losses, lossCount, roots: [...roots], pruned });
  }

  #take({ entries, signatures, losses, lossCount, roots, pruned }: SoundFile): void {
    this.#entries += entries;
    this.#signatures += signatures;
    this.#lossCount += lossCount;
    for (const seq of losses) if (this.#losses.length < MOST_LOSSES) this.#losses.push(seq);
    for (const [size, root] of roots) this.#roots.set(size, root);
    this.#pruned = pruned ?? this.#pruned;
  }

  result(first: number): FilesVerification {
    const { state, problems } = this;
    const begin = this.#begin ?? 0;
    if (first !== 1 && problems.length < MOST_PROBLEMS && !this.#wasPruned(first, begin)) {
      problems.unshift({ kind: 'segment-missing', seq: 1, detail: `the first file is ${first}` });
    }
    return {
      ...{ log: state?.log, keys: state?.keys ?? [], head: state?.head ?? { seq: 0, hash: '0'.repeat(64) } },
      ...{ begin, end: state?.head.seq ?? 0, roots: this.#roots, entries: this.#entries, signatures: this.#signatures },
      ...{ problems, losses: this.#losses, lossCount: this.#lossCount },
    };
  }

  /** Files go from the oldest on, after the entry that says so. */
  #wasPruned(first: number, begin: number): boolean {
    if (this.#pruned === undefined || this.#pruned.segment < first - 1) return false;
    return this.#pruned.segment > first - 1 || this.#pruned.last === begin;
  }
}

function isSame(one: LogState, other: LogState): boolean {
  const key = (keys: readonly KeyUse[]) => keys.at(-1)?.key;
  return (
    one.head.seq === other.head.seq &&
    one.head.hash === other.head.hash &&
    one.tree !== undefined &&
    one.tree === other.tree &&
    one.log === other.log &&
    key(one.keys) === other.keys[0]?.key
  );
}

function missingFiles(files: readonly number[]): Problem[] {
  const at = files.findIndex((file, place) => place > 0 && file !== files[place - 1]! + 1);
  return at < 0 ? [] : [{ kind: 'segment-missing', seq: 0, detail: `before ${files[at]}` }];
}

/** Reads one file in this thread, giving way to others between steps. An unfinished last line of the last file may be one that a daemon is writing. */
async function verifyHere(
  directory: string,
  file: number,
  isLast: boolean,
  verifier: LogVerifier,
  { progress }: FilesOptions,
): Promise<Problem[]> {
  const reader = openReader(directory, file);
  if (reader instanceof NotAFile) return [{ kind: 'file-odd', seq: 0, file, detail: reader.message }];
  verifier.beginFile(file);
  try {
    for (let patience = TORN_RETRIES; !verifier.isFull; ) {
      const before = verifier.entries;
      const got = reader.step((bytes, isText) => {
        if (!verifier.isFull) verifier.line(bytes, isText);
      });
      progress(verifier.entries - before, got);
      if (got > 0) await giveWay();
      else if (!reader.isTorn) break;
      else if (isLast && patience-- > 0) await sleep(TORN_RETRY_MS);
      else {
        verifier.torn();
        break;
      }
    }
  } finally {
    reader.close();
  }
  return [];
}

function openReader(directory: string, file: number): LineReader | NotAFile {
  try {
    return new LineReader(segmentPath(directory, file));
  } catch (error) {
    if (error instanceof NotAFile) return error;
    // Retention removes the oldest files: what is left is the log. Whatever else went away is found missing then.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !listSegments(directory).includes(file)) {
      throw new FilesWentAway();
    }
    throw error;
  }
}

const MOST_LOSSES = 1000;
const TORN_RETRIES = 3;
const TORN_RETRY_MS = 50;
