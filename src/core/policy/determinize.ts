import { byteClasses } from './byte-classes.ts';
import type { Dfa } from './dfa.ts';
import { IntList } from './int-list.ts';
import type { PatternGraph, WideEdge } from './pattern-graph.ts';
import type { Pruning } from './pruning.ts';
import { Subsets } from './subsets.ts';

export type Limits = { states: number; work: number };

/**
 * Subset construction. Returns null when it would pass a limit. `limits.work` counts nodes looked at and is used up across calls, so that a
 * row of attempts stays bounded as a whole.
 */
export function determinize(graph: PatternGraph, pruning: Pruning, limits: Limits): Dfa | null {
  const { classOf, classCount } = byteClasses(graph);
  const subsets = new Subsets(graph, pruning);
  const rows = { otherwise: new IntList(), start: new IntList(), key: new IntList(), target: new IntList() };
  const expansion = new Expansion(graph, subsets, classOf, classCount);
  subsets.begin();
  subsets.finish(); // state 0: nothing left to match
  subsets.begin();
  subsets.add(0);
  const initial = subsets.finish();
  rows.start.push(0);
  for (let state = 0; state < subsets.count; state++) {
    limits.work -= expansion.expand(state, rows);
    if (subsets.count > limits.states || limits.work < 0) return null;
  }
  const { accept, acceptSets } = acceptance(graph, subsets, pruning);
  return {
    classCount,
    classOf,
    states: subsets.count,
    initial,
    otherwise: rows.otherwise.items.slice(0, subsets.count),
    start: rows.start.items.slice(0, subsets.count + 1),
    key: rows.key.items.slice(0, rows.key.length),
    target: rows.target.items.slice(0, rows.target.length),
    accept,
    acceptSets,
  };
}

type Rows = { otherwise: IntList; start: IntList; key: IntList; target: IntList };

/** How a combination of byte sets divides the classes: `groupOf` each class, and the sets that hold for each group. */
type Division = { groupOf: Uint8Array; holds: boolean[][]; largest: number; members: number[][] };

/** Computes the row of one state: first what the wide edges give each group of classes, then the classes with byte edges. */
class Expansion {
  readonly #graph: PatternGraph;
  readonly #subsets: Subsets;
  readonly #classOf: Uint8Array;
  readonly #classCount: number;
  readonly #classByte: number[] = [];
  readonly #divisions = new Map<string, Division>();
  readonly #head: Int32Array;
  readonly #next = new IntList();
  readonly #to = new IntList();
  readonly #touched = new IntList();
  readonly #rowTarget: Int32Array;

  constructor(graph: PatternGraph, subsets: Subsets, classOf: Uint8Array, classCount: number) {
    this.#graph = graph;
    this.#subsets = subsets;
    this.#classOf = classOf;
    this.#classCount = classCount;
    for (let byte = 255; byte >= 0; byte--) this.#classByte[classOf[byte]!] = byte;
    this.#head = new Int32Array(classCount).fill(-1);
    this.#rowTarget = new Int32Array(classCount).fill(-1);
  }

  /** Appends the row and returns how many nodes were looked at. */
  expand(state: number, rows: Rows): number {
    const wide = this.#gather(state);
    const division = this.#divide(wide);
    let work = this.#subsets.first(state + 1) - this.#subsets.first(state) + this.#touched.length + 1;
    const base = division.holds.map((holds) => {
      this.#subsets.begin();
      for (const edge of wide) if (holds[edge.set]) this.#subsets.add(edge.target);
      work += wide.length;
      return this.#subsets.finish();
    });
    const otherwise = base[division.largest]!;
    const special = this.#specialClasses(division);
    for (const byteClass of special) {
      const group = division.groupOf[byteClass]!;
      this.#rowTarget[byteClass] =
        this.#head[byteClass]! < 0 ? base[group]! : this.#withBytes(wide, division, byteClass);
      this.#head[byteClass] = -1;
    }
    rows.otherwise.push(otherwise);
    for (const byteClass of special) {
      if (this.#rowTarget[byteClass] === otherwise) continue;
      rows.key.push(byteClass);
      rows.target.push(this.#rowTarget[byteClass]!);
    }
    rows.start.push(rows.key.length);
    this.#touched.length = 0;
    this.#next.length = 0;
    this.#to.length = 0;
    work += special.length;
    return work;
  }

  #gather(state: number): WideEdge[] {
    const wide: WideEdge[] = [];
    const graph = this.#graph;
    const end = this.#subsets.first(state + 1);
    for (let index = this.#subsets.first(state); index < end; index++) {
      const node = this.#subsets.node(index);
      for (const edge of graph.wide[node] ?? []) wide.push(edge);
      for (let edge = graph.edgeHead[node]!; edge >= 0; edge = graph.edgeNext[edge]!) {
        const byteClass = this.#classOf[graph.edgeByte[edge]!]!;
        if (this.#head[byteClass]! < 0) this.#touched.push(byteClass);
        this.#next.push(this.#head[byteClass]!);
        this.#to.push(graph.edgeTarget[edge]!);
        this.#head[byteClass] = this.#to.length - 1;
      }
    }
    return wide;
  }

  #withBytes(wide: readonly WideEdge[], division: Division, byteClass: number): number {
    const holds = division.holds[division.groupOf[byteClass]!]!;
    this.#subsets.begin();
    for (const edge of wide) if (holds[edge.set]) this.#subsets.add(edge.target);
    for (let entry = this.#head[byteClass]!; entry >= 0; entry = this.#next.items[entry]!) {
      this.#subsets.add(this.#to.items[entry]!);
    }
    return this.#subsets.finish();
  }

  #specialClasses(division: Division): Int32Array {
    const special = this.#touched;
    for (let group = 0; group < division.members.length; group++) {
      if (group === division.largest) continue;
      for (const byteClass of division.members[group]!) if (this.#head[byteClass]! < 0) special.push(byteClass);
    }
    return special.items.slice(0, special.length).sort();
  }

  #divide(wide: readonly WideEdge[]): Division {
    const sets = [...new Set(wide.map((edge) => edge.set))].sort((a, b) => a - b);
    const key = sets.join();
    const known = this.#divisions.get(key);
    if (known) return known;
    const made = this.#newDivision(sets);
    this.#divisions.set(key, made);
    return made;
  }

  #newDivision(sets: readonly number[]): Division {
    const groups = new Map<string, number>();
    const division: Division = { groupOf: new Uint8Array(this.#classCount), holds: [], largest: 0, members: [] };
    for (let byteClass = 0; byteClass < this.#classCount; byteClass++) {
      const byte = this.#classByte[byteClass]!;
      const held = sets.filter((set) => this.#graph.sets.members[set]![byte] === 1);
      const group = groups.get(held.join()) ?? division.holds.length;
      if (group === division.holds.length) {
        groups.set(held.join(), group);
        division.members.push([]);
        const holds: boolean[] = [];
        for (const set of held) holds[set] = true;
        division.holds.push(holds);
      }
      division.groupOf[byteClass] = group;
      division.members[group]!.push(byteClass);
    }
    division.members.forEach((members, group) => {
      if (members.length > division.members[division.largest]!.length) division.largest = group;
    });
    return division;
  }
}

function acceptance(graph: PatternGraph, subsets: Subsets, pruning: Pruning): Pick<Dfa, 'accept' | 'acceptSets'> {
  const numbers = new Map<string, number>([['', 0]]);
  const acceptSets: (readonly number[])[] = [[]];
  const accept = new Int32Array(subsets.count);
  const rules: number[] = [];
  for (let state = 0; state < subsets.count; state++) {
    rules.length = 0;
    for (let index = subsets.first(state); index < subsets.first(state + 1); index++) {
      const own = graph.accepts[subsets.node(index)];
      if (own) rules.push(...own);
    }
    if (rules.length === 0) continue;
    const set = pruning.strongest(rules);
    const key = set.join();
    let number = numbers.get(key);
    if (number === undefined) {
      number = acceptSets.push(set) - 1;
      numbers.set(key, number);
    }
    accept[state] = number;
  }
  return { accept, acceptSets };
}
