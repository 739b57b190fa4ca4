import { buildAutomata, type CompiledPattern, TooComplex, textOf } from './automata.ts';
import type { Dfa } from './dfa.ts';
import { type EncodedAutomaton, encodeAutomaton, type LaidOut, layOut } from './encode-automaton.ts';
import { MOST } from './image-layout.ts';

/**
 * Builds automata, and builds them once for groups of patterns that say the same: those for writing and deleting mostly do, and kept from one compilation
 * to the next, so do all files that did not change. Rules are renumbered from 0 on the way in and back on the way out, since only their order and
 * classes matter.
 */
export class KnownAutomata {
  readonly #built = new Map<string, Dfa[]>();
  /** By the one part of a DFA that its renumbered forms share and no two have in common. */
  readonly #laidOut = new WeakMap<Int32Array, LaidOut>();
  readonly #states: number;
  #kept = 0;

  /** @param states how many states of automata may be kept; the oldest go first */
  constructor(states = Number.POSITIVE_INFINITY) {
    this.#states = states;
  }

  /** As `buildAutomata`. */
  build(patterns: readonly CompiledPattern[], classOf: Int32Array, most: number): Dfa[] {
    const rules = [...new Set(patterns.map(({ rule }) => rule))].sort((a, b) => a - b);
    const rank = new Map(rules.map((rule, index) => [rule, index]));
    const ranked = patterns.map(({ tokens, rule }) => ({ tokens, rule: rank.get(rule)! }));
    const classes = renumber(rules.map((rule) => classOf[rule]!));
    const key = `${classes.join()} ${ranked.map(({ tokens, rule }) => `${rule}:${tokens.map(textOf).join('')}`).join(' ')}`;
    const dfas = this.#built.get(key) ?? buildRanked(ranked, Int32Array.from(classes), rules);
    this.#keep(key, dfas);
    if (dfas.length > most) throw new TooComplex(rules[0]!);
    return dfas.map((dfa) => ({ ...dfa, acceptSets: dfa.acceptSets.map((set) => set.map((index) => rules[index]!)) }));
  }

  /** As `encodeAutomaton`, for what `build` returned. */
  encode(dfa: Dfa, acceptWord: readonly number[]): EncodedAutomaton {
    const laidOut = this.#laidOut.get(dfa.accept) ?? layOut(dfa);
    this.#laidOut.set(dfa.accept, laidOut);
    return encodeAutomaton(dfa, acceptWord, laidOut);
  }

  #keep(key: string, dfas: Dfa[]): void {
    if (!this.#built.delete(key)) this.#kept += sizeOf(dfas);
    this.#built.set(key, dfas); // the latest at the end
    for (const [oldest, group] of this.#built) {
      if (this.#kept <= this.#states || this.#built.size === 1) return;
      this.#built.delete(oldest);
      this.#kept -= sizeOf(group);
    }
  }
}

function buildRanked(ranked: CompiledPattern[], classOf: Int32Array, rules: readonly number[]): Dfa[] {
  try {
    return buildAutomata(ranked, classOf, Math.max(-1, ...classOf) + 1, MOST.automata);
  } catch (error) {
    throw error instanceof TooComplex ? new TooComplex(rules[error.rule]!) : error;
  }
}

function renumber(values: readonly number[]): number[] {
  const numbers = new Map<number, number>();
  return values.map((value) => {
    const number = numbers.get(value) ?? numbers.size;
    numbers.set(value, number);
    return number;
  });
}

const sizeOf = (dfas: readonly Dfa[]): number => dfas.reduce((sum, { states }) => sum + states, 0);
