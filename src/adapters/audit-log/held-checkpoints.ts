import { setImmediate as giveWay } from 'node:timers/promises';
import { originOf, parseCheckpoint, type SignedCheckpoint } from '../../core/audit/checkpoint.ts';
import type { AuditFields } from '../../core/audit/record.ts';
import { readLog } from './read.ts';
import { segmentStart } from './segment-start.ts';
import { listSegments, readFirstLine, segmentPath } from './segments.ts';
import { treeHasher } from './tree-hasher.ts';

export type HeldNotes = { holder: string; notes: readonly string[] };
/** What is wrong, as an entry tells it. */
export type Finding = Pick<AuditFields, 'kind' | 'text' | 'count' | 'last'>;
/** Whether a key of this log's owner signed it. */
export type IsOwn = (note: SignedCheckpoint) => boolean;

type Held = { holder: string; note: SignedCheckpoint };

/** Of a log without entries: the logs that the key has signed already, and that are not here any more. */
export function formerLogs(held: readonly HeldNotes[], isOwn: IsOwn): Finding[] {
  const newest = new Map<string, Held>();
  for (const one of parsed(held)) {
    if ((newest.get(one.note.origin)?.note.size ?? 0) < one.note.size && isOwn(one.note))
      newest.set(one.note.origin, one);
  }
  return [...newest.values()].slice(-MOST_FORMER).map(({ holder, note }) => ({
    kind: 'log-replaced',
    text: `${tellsOf(holder, note)}, which is not here`,
    count: note.size,
  }));
}

/**
 * Compares the log, as it ended when it was opened, with what others hold of it: the newest ones, as far as the last two files tell. What the log itself has told
 * of is not told again.
 */
export async function compareHeld(
  directory: string,
  opened: { log: string; size: number },
  held: readonly HeldNotes[],
  isOwn: IsOwn,
): Promise<Finding[]> {
  const own = parsed(held).filter(({ note }) => note.origin === originOf(opened.log) && isOwn(note));
  if (own.length === 0) return [];
  const sizes = new Set(own.map(({ note }) => note.size).filter((size) => size <= opened.size));
  const { roots, toldUpTo } = await readEnd(directory, sizes);
  const fresh = own.filter(({ note }) => note.size > toldUpTo);
  const ahead = fresh.filter(({ note }) => note.size > opened.size);
  const other = fresh.filter(({ note }) => (roots.get(note.size) ?? note.root) !== note.root);
  return [
    ...largest(ahead).map(
      ({ holder, note }): Finding => ({
        kind: 'rolled-back',
        text: `${tellsOf(holder, note)}, the log ended at ${opened.size}`,
        ...{ count: note.size - opened.size, last: note.size },
      }),
    ),
    ...largest(other).map(
      ({ holder, note }): Finding => ({
        kind: 'forked',
        text: `${tellsOf(holder, note)}, the entries up to there are others`,
        last: note.size,
      }),
    ),
  ];
}

function parsed(held: readonly HeldNotes[]): Held[] {
  return held.flatMap(({ holder, notes }) =>
    notes.slice(-NEWEST).flatMap((text) => {
      const note = parseCheckpoint(text);
      return note === undefined ? [] : [{ holder, note }];
    }),
  );
}

function largest(held: readonly Held[]): Held[] {
  return [...held].sort((a, b) => b.note.size - a.note.size).slice(0, 1);
}

/** Roots of the trees of those sizes, as far as they are in the last files, and up to which size the log tells of such findings already. */
async function readEnd(
  directory: string,
  sizes: ReadonlySet<number>,
): Promise<{ roots: Map<number, string>; toldUpTo: number }> {
  const roots = new Map<number, string>();
  let toldUpTo = 0;
  const segments = listSegments(directory).slice(-FILES);
  const start = segments.map((segment) => segmentStart(readFirstLine(segmentPath(directory, segment)) ?? ''))[0];
  if (start === undefined) return { roots, toldUpTo };
  const { tree } = start;
  for (const lines of readLog(directory, segments[0])) {
    for (const { text, torn } of lines) {
      if (torn) continue;
      tree.add(treeHasher.leaf(Buffer.from(text ?? '')));
      if (sizes.has(tree.end)) roots.set(tree.end, Buffer.from(tree.root()).toString('base64'));
      if (text?.startsWith('{"action":"recovered"')) toldUpTo = Math.max(toldUpTo, lastOf(text));
    }
    await giveWay();
  }
  return { roots, toldUpTo };
}

function lastOf(line: string): number {
  const { last } = JSON.parse(line) as { last?: unknown };
  return typeof last === 'number' ? last : 0;
}

const tellsOf = (holder: string, { size, origin, root }: SignedCheckpoint) =>
  `${holder} tells of ${size} entries of ${origin} (root ${root})`;

const FILES = 2;
/** Of each holder. */
const NEWEST = 32;
const MOST_FORMER = 10;
