import type { Dfa } from './dfa.ts';
import { SLASH } from './hierarchy.ts';
import { type Hindrance, MatchingRules } from './plain-reading.ts';
import { Product } from './product.ts';
import type { RuleTable } from './rule-table.ts';

/** `free`, or what is in the way; `unsure` when looking on was given up. */
export type Proof = 'free' | 'unsure' | Hindrance;

/** A place in the product; no name follows the slash that it stands behind with another. */
type Place = { states: number[]; afterSlash: boolean };

/**
 * Proves of hierarchies that every path at and beneath them may be read without a receipt, on the automata that decide: all places that such a path
 * can lead to are looked at. Nothing is sampled, and what is too large to look at is not proven.
 */
export class RegionProver {
  readonly #product: Product;
  readonly #matching: MatchingRules;
  readonly #classOf: Int32Array;
  /** Of each automaton and state: how many bytes lead to a rule that could be in the way. */
  readonly #distance: readonly Int32Array[];
  readonly #hindrances = new Map<string, Hindrance | null>();
  readonly #signatures = new Map<string, number>();
  readonly #known = new Map<string, Proof>();
  #budget = MOST_PLACES;

  /**
   * @param dfas the automata of file_read
   * @param classOf class of each rule: rules of one class differ in nothing that a verdict depends on
   */
  constructor(table: RuleTable, action: number, dfas: readonly Dfa[], classOf: Int32Array) {
    this.#product = new Product(dfas);
    this.#matching = new MatchingRules(table, action);
    this.#classOf = classOf;
    this.#distance = dfas.map((dfa) => this.#distances(dfa));
  }

  prove(path: Uint8Array): Proof {
    const at = this.#product.run(this.#product.start, path);
    const itself = this.#hindrance(at);
    if (itself) return itself;
    const beneath = { states: this.#product.run(at, Uint8Array.of(SLASH)), afterSlash: true };
    const key = this.#key(beneath);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const proof = this.#isOutOfReach(beneath) ? 'free' : (this.#straight(beneath) ?? this.#everywhere(beneath));
    this.#known.set(key, proof);
    return proof;
  }

  /** An allowance that holds whatever follows, and nothing that could be in its way: the common case, for nothing. */
  #isOutOfReach({ states }: Place): boolean {
    if (states.some((state, index) => this.#distance[index]![state]! !== FAR)) return false;
    const settled = states.map((state, index) => (this.#product.isSettled(states, index) ? state : DEAD));
    return this.#hindrance(settled) === null;
  }

  /** Goes to the nearest rule that could be in the way. Most hierarchies that are not free show it at once. */
  #straight(from: Place): Hindrance | null {
    for (let place: Place | null = from; place; place = this.#nearer(place)) {
      const hindrance = place.afterSlash ? null : this.#hindrance(place.states);
      if (hindrance) return hindrance;
    }
    return null;
  }

  #nearer({ states, afterSlash }: Place): Place | null {
    let best: Place | null = null;
    let nearest = this.#far(states);
    for (const letter of this.#product.lettersAt(states)) {
      if (afterSlash && letter.byte === SLASH) continue;
      const next = this.#product.next(states, letter);
      const far = this.#far(next);
      if (far >= nearest) continue;
      nearest = far;
      best = { states: next, afterSlash: letter.byte === SLASH };
    }
    return best;
  }

  #far(states: readonly number[]): number {
    return Math.min(...states.map((state, index) => this.#distance[index]![state]!));
  }

  #everywhere(from: Place): Proof {
    const seen = new Set([this.#key(from)]);
    const open = [from];
    for (let place = open.pop(); place; place = open.pop()) {
      const hindrance = place.afterSlash ? null : this.#hindrance(place.states);
      if (hindrance) return hindrance;
      if (--this.#budget < 0) return 'unsure';
      for (const letter of this.#product.lettersAt(place.states)) {
        const slash = letter.byte === SLASH;
        if (slash && place.afterSlash) continue;
        const next = { states: this.#product.next(place.states, letter), afterSlash: slash };
        const key = this.#key(next);
        if (seen.has(key) || this.#known.get(key) === 'free') continue;
        seen.add(key);
        open.push(next);
      }
    }
    for (const key of seen) this.#known.set(key, 'free');
    return 'free';
  }

  #hindrance(states: readonly number[]): Hindrance | null {
    const key = this.#product.accepts(states);
    const known = this.#hindrances.get(key);
    if (known !== undefined) return known;
    const made = this.#matching.hindrance(this.#product.rules(states));
    this.#hindrances.set(key, made);
    return made;
  }

  /** Places with one key are alike: of an automaton that settled only the classes of its rules count. */
  #key({ states, afterSlash }: Place): string {
    const parts = states.map((state, index) =>
      this.#product.isSettled(states, index) ? this.#signature(state, index) : state,
    );
    return `${parts.join()}${afterSlash ? '/' : ''}`;
  }

  #signature(state: number, index: number): number {
    const dfa = this.#product.dfas[index]!;
    const rules = dfa.acceptSets[dfa.accept[state]!]!;
    const key = [...new Set(rules.map((rule) => this.#classOf[rule]!))].sort((a, b) => a - b).join();
    const number = this.#signatures.get(key) ?? -1 - this.#signatures.size;
    this.#signatures.set(key, number);
    return number;
  }

  /** Taken over until nothing changes; what is farther than the rounds reach counts as near, which is merely slower. */
  #distances(dfa: Dfa): Int32Array {
    const hinders = dfa.acceptSets.map((rules) => rules.some((rule) => this.#matching.mayHinder(rule)));
    const distance = Int32Array.from(dfa.accept.subarray(0, dfa.states), (set) => (hinders[set] ? 0 : FAR));
    let changed = true;
    for (let round = 0; changed && round < LONGEST_STRAIGHT; round++) {
      changed = false;
      for (let state = dfa.states - 1; state >= 0; state--) {
        let near = distance[dfa.otherwise[state]!]!;
        for (let entry = dfa.start[state]!; entry < dfa.start[state + 1]!; entry++)
          near = Math.min(near, distance[dfa.target[entry]!]!);
        if (near + 1 >= distance[state]!) continue;
        distance[state] = near + 1;
        changed = true;
      }
    }
    return changed ? distance.map((far) => Math.min(far, LONGEST_STRAIGHT)) : distance;
  }
}

const DEAD = 0;
const FAR = 0x3fffffff;
const LONGEST_STRAIGHT = 512;
/** In all hierarchies together: some ten milliseconds. */
const MOST_PLACES = 20_000;
