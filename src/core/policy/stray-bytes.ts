import type { PatternGraph } from './pattern-graph.ts';

/** A place where a character set also takes one byte that belongs to no valid UTF-8 sequence. */
export type Stray = { from: number; to: number };

/**
 * Adds the edges for stray bytes. Whether a lead byte is stray shows only in what follows, so the nodes after it are copied under a guard:
 * the copy goes on as the original does, except that it gives up when the bytes complete the sequence after all.
 */
export function addStrayBytes(graph: PatternGraph, strays: readonly Stray[]): void {
  const copies = new Map<string, number>();
  const open: { copy: number; of: number; guard: Guard }[] = [];
  const guarded = (of: number, guard: Guard): number => {
    const key = `${of} ${guard.name}`;
    const known = copies.get(key);
    if (known !== undefined) return known;
    const copy = graph.node();
    copies.set(key, copy);
    open.push({ copy, of, guard });
    return copy;
  };
  for (const { from, to } of strays) {
    for (const [low, high] of NEVER_LEADS) graph.addWide(from, graph.sets.range(low, high), to);
    for (const [low, high, guard] of LEADS) graph.addWide(from, graph.sets.range(low, high), guarded(to, guard));
  }
  for (let next = open.pop(); next; next = open.pop()) copyUnderGuard(graph, next, guarded);
}

type Guard = { name: string; low: number; high: number; next: Guard | null };

function copyUnderGuard(
  graph: PatternGraph,
  { copy, of, guard }: { copy: number; of: number; guard: Guard },
  guarded: (of: number, guard: Guard) => number,
): void {
  const caught = (byte: number): boolean => byte >= guard.low && byte <= guard.high;
  if (graph.accepts[of]) graph.accepts[copy] = graph.accepts[of];
  if (graph.skip[of]! >= 0) graph.skip[copy] = guarded(graph.skip[of]!, guard);
  for (let edge = graph.edgeHead[of]!; edge >= 0; edge = graph.edgeNext[edge]!) {
    const byte = graph.edgeByte[edge]!;
    const target = graph.edgeTarget[edge]!;
    if (!caught(byte)) graph.addByte(copy, byte, target);
    else if (guard.next) graph.addByte(copy, byte, guarded(target, guard.next));
  }
  for (const { set, target } of graph.wide[of] ?? []) {
    const free = graph.sets.filter(set, (byte) => !caught(byte));
    if (free >= 0) graph.addWide(copy, free, target);
    const held = guard.next ? graph.sets.filter(set, caught) : -1;
    if (held >= 0 && guard.next) graph.addWide(copy, held, guarded(target, guard.next));
  }
}

const LAST: Guard = { name: 'last', low: 0x80, high: 0xbf, next: null };
const LAST_TWO: Guard = { name: 'last two', low: 0x80, high: 0xbf, next: LAST };
const LAST_THREE: Guard = { name: 'last three', low: 0x80, high: 0xbf, next: LAST_TWO };

const NEVER_LEADS = [
  [0x80, 0xc1],
  [0xf5, 0xff],
] as const;

/** Lead bytes and what would have to follow (Unicode 15, table 3-7). */
const LEADS: readonly (readonly [number, number, Guard])[] = [
  [0xc2, 0xdf, LAST],
  [0xe0, 0xe0, { name: 'e0', low: 0xa0, high: 0xbf, next: LAST }],
  [0xe1, 0xec, LAST_TWO],
  [0xed, 0xed, { name: 'ed', low: 0x80, high: 0x9f, next: LAST }],
  [0xee, 0xef, LAST_TWO],
  [0xf0, 0xf0, { name: 'f0', low: 0x90, high: 0xbf, next: LAST_TWO }],
  [0xf1, 0xf3, LAST_THREE],
  [0xf4, 0xf4, { name: 'f4', low: 0x80, high: 0x8f, next: LAST_TWO }],
];
