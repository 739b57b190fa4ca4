import { ListNumbering } from './int-list.ts';
import type { PatternGraph } from './pattern-graph.ts';
import type { Pruning } from './pruning.ts';

/** Sets of graph nodes, each with a number that is its state. */
export class Subsets {
  readonly #numbering = new ListNumbering();
  readonly #graph: PatternGraph;
  readonly #pruning: Pruning;
  readonly #mark: Int32Array;
  #stamp = 0;
  #items = new Int32Array(1024);
  #length = 0;

  constructor(graph: PatternGraph, pruning: Pruning) {
    this.#graph = graph;
    this.#pruning = pruning;
    this.#mark = new Int32Array(graph.size);
  }

  get count(): number {
    return this.#numbering.count;
  }

  begin(): void {
    this.#stamp++;
    this.#length = 0;
  }

  /** Adds a node and what it reaches by empty edges. */
  add(node: number): void {
    for (let next = node; next >= 0; next = this.#graph.skip[next]!) {
      if (this.#mark[next] === this.#stamp) return;
      this.#mark[next] = this.#stamp;
      if (this.#length === this.#items.length) {
        const larger = new Int32Array(this.#length * 2);
        larger.set(this.#items);
        this.#items = larger;
      }
      this.#items[this.#length++] = next;
    }
  }

  finish(): number {
    const kept = this.#pruning.prune(this.#items, this.#length);
    this.#items.subarray(0, kept).sort();
    return this.#numbering.number(this.#items, kept);
  }

  first(state: number): number {
    return this.#numbering.starts.items[state]!;
  }

  node(index: number): number {
    return this.#numbering.values.items[index]!;
  }
}
