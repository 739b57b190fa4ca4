import { ByteSets } from './byte-set.ts';
import { addStrayBytes, type Stray } from './stray-bytes.ts';
import type { CharacterSet, Token } from './token.ts';

export const SLASH = 0x2f;

/** How long a node's acceptance holds once reached: not at all, up to the next slash, for ever. */
export const HOLDS = { never: 0, component: 1, forever: 2 } as const;

/** An edge for a set of bytes. */
export type WideEdge = { set: number; target: number };

/**
 * Patterns as one nondeterministic automaton in the form of a trie: patterns share the nodes of their common beginnings,
 * wildcards included. That sharing is what keeps ten thousand patterns tractable: all floating patterns run in
 * one `**` loop instead of one each.
 *
 * Nodes are numbers; 0 is the start. A node has byte edges (a linked list), wide edges, and at most one empty edge (`skip`).
 */
export class PatternGraph {
  readonly sets = new ByteSets();
  readonly edgeHead: number[] = [];
  readonly edgeNext: number[] = [];
  readonly edgeByte: number[] = [];
  readonly edgeTarget: number[] = [];
  readonly wide: (WideEdge[] | undefined)[] = [];
  readonly skip: number[] = [];
  readonly accepts: (number[] | undefined)[] = [];
  readonly holds: number[] = [];
  readonly #notSlash = this.sets.intern(new Uint8Array(256).fill(1).fill(0, SLASH, SLASH + 1));
  readonly #all = this.sets.range(0, 255);
  readonly #slash = this.sets.range(SLASH, SLASH);
  readonly #tails = new Map<number, number>();
  readonly #shared = new Map<string, number>();
  readonly #strays: Stray[] = [];

  constructor() {
    this.node();
  }

  get size(): number {
    return this.skip.length;
  }

  /**
   * Adds a pattern; paths that match it accept `rule`.
   * @param joinAt index of a globstar behind which another pattern of the rule goes on alike, or -1
   * @param joinKey names what follows
   */
  add(tokens: readonly Token[], rule: number, joinAt = -1, joinKey = ''): void {
    let at = 0;
    for (const [index, token] of tokens.entries()) {
      if (index !== joinAt) at = this.#step(at, token, rule);
      else {
        const joined = this.#shared.get(joinKey);
        if (joined !== undefined) {
          this.addWide(at, this.#slash, joined);
          return;
        }
        at = this.#once(joinKey, () => this.#globstarChild(at));
      }
    }
    if (tokens.at(-1)?.kind !== 'tail') this.#accept(at, rule);
  }

  /** Ends building: after this no pattern may be added. */
  freeze(): void {
    addStrayBytes(this, this.#strays);
  }

  node(): number {
    this.edgeHead.push(-1);
    this.wide.push(undefined);
    this.skip.push(-1);
    this.accepts.push(undefined);
    this.holds.push(HOLDS.never);
    return this.skip.length - 1;
  }

  addWide(from: number, set: number, target: number): void {
    const edges = this.wide[from];
    if (edges) edges.push({ set, target });
    else this.wide[from] = [{ set, target }];
  }

  addByte(from: number, byte: number, target: number): void {
    this.edgeByte.push(byte);
    this.edgeTarget.push(target);
    this.edgeNext.push(this.edgeHead[from]!);
    this.edgeHead[from] = this.edgeByte.length - 1;
  }

  #step(at: number, token: Token, rule: number): number {
    switch (token.kind) {
      case 'bytes': {
        let node = at;
        for (const byte of token.bytes) node = this.#byteChild(node, byte);
        return node;
      }
      case 'set':
        return this.#once(`${at}[${token.set.key}`, () => this.#setChild(at, token.set));
      case 'star':
        return this.#skipChild(at, this.#notSlash, HOLDS.component);
      case 'any':
        return this.#skipChild(at, this.#all, HOLDS.forever);
      case 'plus':
        return this.#once(`${at}+`, () => this.#loop(at, this.#notSlash, this.#notSlash, HOLDS.component));
      case 'globstar':
        return this.#once(`${at}**`, () => this.#globstarChild(at));
      case 'tail': {
        this.#accept(at, rule);
        return this.#tailChild(at, rule);
      }
    }
  }

  #byteChild(at: number, byte: number): number {
    for (let edge = this.edgeHead[at]!; edge >= 0; edge = this.edgeNext[edge]!) {
      if (this.edgeByte[edge] === byte) return this.edgeTarget[edge]!;
    }
    const child = this.node();
    this.addByte(at, byte, child);
    return child;
  }

  /** A node that is entered without a byte and stays on every byte of the set. */
  #skipChild(at: number, set: number, holds: number): number {
    if (this.skip[at]! >= 0) return this.skip[at]!;
    const child = this.node();
    this.addWide(child, set, child);
    this.holds[child] = holds;
    this.skip[at] = child;
    return child;
  }

  #loop(at: number, enter: number, stay: number, holds: number): number {
    const child = this.node();
    this.addWide(at, enter, child);
    this.addWide(child, stay, child);
    this.holds[child] = holds;
    return child;
  }

  /** `start` is the beginning of any component from here on; `inside` is within one that is passed over. */
  #globstarChild(at: number): number {
    const start = this.node();
    const inside = this.node();
    this.addWide(at, this.#slash, start);
    this.addWide(start, this.#notSlash, inside);
    this.addWide(inside, this.#notSlash, inside);
    this.addWide(inside, this.#slash, start);
    return start;
  }

  /** All tails of one rule share a node, in which everything is accepted: there is nothing left to tell them apart by. */
  #tailChild(at: number, rule: number): number {
    let tail = this.#tails.get(rule);
    if (tail === undefined) {
      tail = this.node();
      this.addWide(tail, this.#all, tail);
      this.holds[tail] = HOLDS.forever;
      this.#accept(tail, rule);
      this.#tails.set(rule, tail);
    }
    const beneath = tail;
    return this.#once(`${at}/${rule}`, () => {
      this.addWide(at, this.#slash, beneath);
      return beneath;
    });
  }

  #setChild(at: number, set: CharacterSet): number {
    const end = this.node();
    for (const sequence of set.sequences) {
      let node = at;
      sequence.forEach(([low, high], index) => {
        const next = index === sequence.length - 1 ? end : this.node();
        this.addWide(node, this.sets.range(low, high), next);
        node = next;
      });
    }
    if (set.raw) this.#strays.push({ from: at, to: end });
    return end;
  }

  #accept(at: number, rule: number): void {
    const rules = this.accepts[at];
    if (!rules) this.accepts[at] = [rule];
    else if (!rules.includes(rule)) rules.push(rule);
  }

  #once(key: string, make: () => number): number {
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#shared.set(key, made);
    return made;
  }
}
