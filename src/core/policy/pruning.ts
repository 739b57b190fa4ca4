import { HOLDS, type PatternGraph } from './pattern-graph.ts';
import { patternReach, type Reach } from './pattern-reach.ts';

/**
 * Leaves out of the subset construction what can no longer change a verdict. Rules of one class (same effect, file and
 * flags) differ in nothing but their number, and the lowest number is the one that a verdict names: once a directory has matched, a
 * later rule of its class cannot matter beneath it. Without this, n rules for directories at any depth need 2^n states.
 *
 * `coarse` goes one step further for graphs that are still too large: any rule of the class will do. Effects stay exact; the rule named is then
 * one that matched, though not always the first.
 */
export class Pruning {
  readonly #graph: PatternGraph;
  readonly #classOf: Int32Array;
  readonly #reach: Reach;
  readonly #coarse: boolean;
  readonly #best: Int32Array[];
  readonly #holder: Int32Array[];
  readonly #seen: number[] = [];

  /** @param classOf the class of each rule, from 0 to classCount - 1. */
  constructor(graph: PatternGraph, classOf: Int32Array, classCount: number, coarse: boolean) {
    this.#graph = graph;
    this.#classOf = classOf;
    this.#coarse = coarse;
    this.#reach = patternReach(graph, classOf);
    this.#best = [HOLDS.component, HOLDS.forever].map(() => new Int32Array(classCount).fill(NONE));
    this.#holder = this.#best.map(() => new Int32Array(classCount).fill(-1));
  }

  /** Moves the nodes that still matter to the front of `nodes` and returns how many they are. */
  prune(nodes: Int32Array, length: number): number {
    this.#findHolders(nodes, length);
    if (this.#seen.length === 0) return length;
    let kept = 0;
    for (let index = 0; index < length; index++) {
      const node = nodes[index]!;
      if (!this.#matters(node)) continue;
      nodes[kept++] = node;
    }
    for (const ruleClass of this.#seen) {
      for (const best of this.#best) best[ruleClass] = NONE;
      for (const holder of this.#holder) holder[ruleClass] = -1;
    }
    this.#seen.length = 0;
    return kept;
  }

  /** Of several rules those that a verdict could name: the first of each class, ascending. */
  strongest(rules: readonly number[]): number[] {
    const first = new Map<number, number>();
    for (const rule of rules) {
      const ruleClass = this.#classOf[rule]!;
      first.set(ruleClass, Math.min(rule, first.get(ruleClass) ?? rule));
    }
    return [...first.values()].sort((a, b) => a - b);
  }

  #findHolders(nodes: Int32Array, length: number): void {
    for (let index = 0; index < length; index++) {
      const node = nodes[index]!;
      const holds = this.#graph.holds[node]!;
      const rules = holds === HOLDS.never ? undefined : this.#graph.accepts[node];
      for (const rule of rules ?? []) {
        const ruleClass = this.#classOf[rule]!;
        this.#seen.push(ruleClass);
        this.#hold(0, ruleClass, rule, node);
        if (holds === HOLDS.forever) this.#hold(1, ruleClass, rule, node);
      }
    }
  }

  #hold(level: number, ruleClass: number, rule: number, node: number): void {
    const best = this.#best[level]!;
    const holder = this.#holder[level]!;
    if (rule > best[ruleClass]! || (rule === best[ruleClass] && node > holder[ruleClass]!)) return;
    best[ruleClass] = rule;
    holder[ruleClass] = node;
  }

  #matters(node: number): boolean {
    const ruleClass = this.#reach.ruleClass[node]!;
    if (ruleClass < 0) return true;
    const level = this.#reach.slash[node] ? 1 : 0;
    const best = this.#best[level]![ruleClass]!;
    if (best === NONE || this.#holder[level]![ruleClass] === node) return true;
    return !this.#coarse && this.#reach.lowest[node]! < best;
  }
}

const NONE = 0x7fffffff;
