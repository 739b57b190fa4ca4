import { originOf, type SignedCheckpoint } from './checkpoint.ts';
import type { Problem } from './verify.ts';

/** What is known of a log when all its entries were read. */
export type ReadLog = {
  /** Undefined when there is no entry that says it. */
  log: string | undefined;
  /** Number of the last entry; 0 when there is none. */
  end: number;
  /** Entries before the first one that is there. */
  begin: number;
  /** Keys (base64) in their order, each with the number of the first entry that it signs. */
  keys: readonly { key: string; from: number }[];
  /** Roots (base64) of the trees of the sizes that matter; one that is missing could not be computed. */
  roots: ReadonlyMap<number, string>;
};

/** Whether the key (base64) signed the checkpoint. */
export type IsSignedBy = (checkpoint: SignedCheckpoint, key: string) => boolean;

/** Compares with the log's own checkpoint. `note`: undefined when what is there is none. */
export function compareOwnCheckpoint(
  log: ReadLog,
  note: SignedCheckpoint | undefined,
  isSignedBy: IsSignedBy,
): Problem[] {
  if (note === undefined) return [{ kind: 'checkpoint-missing', seq: log.end }];
  if (log.log !== undefined && note.origin !== originOf(log.log)) {
    return [{ kind: 'checkpoint-differs', seq: log.end, detail: `it is that of ${note.origin}` }];
  }
  if (log.log !== undefined && !isSignedInTime(log, note, isSignedBy)) {
    return [{ kind: 'checkpoint-missing', seq: log.end, detail: 'no key that signed then has signed it' }];
  }
  if (note.size > log.end)
    return [{ kind: 'tail-cut', seq: log.end + 1, detail: endsBefore(log, note, 'the checkpoint') }];
  return differs(log, note) ? [{ kind: 'checkpoint-differs', seq: note.size }] : [];
}

/**
 * Compares with a checkpoint that somebody else kept. One of another log counts when a key of this log, or the trusted one, has signed it: others are not about
 * this log. But one that was `given` as a checkpoint of this log is about it whoever signed it.
 * @param keys further keys that are trusted, base64
 */
export function compareKept(
  log: ReadLog,
  { holder, note, given = false }: { holder: string; note: SignedCheckpoint; given?: boolean | undefined },
  keys: readonly string[],
  isSignedBy: IsSignedBy,
): { about: boolean; problems: Problem[] } {
  if (log.log === undefined || note.origin !== originOf(log.log)) {
    const known = [...keys, ...log.keys.map(({ key }) => key)];
    const isForeign = known.length > 0 && !known.some((key) => isSignedBy(note, key));
    if (isForeign && !given) return { about: false, problems: [] };
    const detail = `${holder} tells of ${note.size} entries of ${note.origin}`;
    const kind = log.log === undefined ? 'rolled-back' : 'log-replaced';
    return { about: true, problems: [{ kind, seq: log.log === undefined ? 1 : 0, detail }] };
  }
  if (!isSignedInTime(log, note, isSignedBy)) {
    return { about: true, problems: [{ kind: 'anchor-bad', seq: Math.min(note.size, log.end), detail: holder }] };
  }
  if (note.size > log.end) {
    return {
      about: true,
      problems: [{ kind: 'rolled-back', seq: log.end + 1, detail: endsBefore(log, note, holder) }],
    };
  }
  return { about: true, problems: differs(log, note) ? [{ kind: 'forked', seq: note.size, detail: holder }] : [] };
}

/** A key that was changed before all those entries were written signs for them no more. */
function isSignedInTime({ keys }: ReadLog, note: SignedCheckpoint, isSignedBy: IsSignedBy): boolean {
  return keys.some(({ key }, at) => {
    const next = keys[at + 1];
    return (next === undefined || note.size < next.from - 1) && isSignedBy(note, key);
  });
}

/** What lies before the first entry that is left cannot be compared. */
function differs({ roots }: ReadLog, { size, root }: SignedCheckpoint): boolean {
  const own = roots.get(size);
  return own !== undefined && own !== root;
}

const endsBefore = ({ end }: ReadLog, { size }: SignedCheckpoint, who: string) =>
  `the log ends at ${end}, ${who} tells of ${size}`;
