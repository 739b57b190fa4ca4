import { buildAutomata, type CompiledPattern, TooComplex, textOf } from './automata.ts';
import type { Dfa } from './dfa.ts';
import { MOST } from './image-layout.ts';

/**
 * Builds automata, and builds them once for actions whose rules say the same, as those for writing and deleting mostly do. Rules are renumbered
 * from 0 on the way in and back on the way out, since only their order and classes matter.
 */
export class KnownAutomata {
  readonly #built = new Map<string, Dfa[]>();

  /** As `buildAutomata`. */
  build(patterns: readonly CompiledPattern[], classOf: Int32Array, classCount: number, most: number): Dfa[] {
    const rules = [...new Set(patterns.map(({ rule }) => rule))].sort((a, b) => a - b);
    const rank = new Map(rules.map((rule, index) => [rule, index]));
    const ranked = patterns.map(({ tokens, rule }) => ({ tokens, rule: rank.get(rule)! }));
    const classes = renumber(rules.map((rule) => classOf[rule]!));
    const key = `${classes.join()} ${ranked.map(({ tokens, rule }) => `${rule}:${tokens.map(textOf).join('')}`).join(' ')}`;
    const dfas = this.#built.get(key) ?? buildRanked(ranked, Int32Array.from(classes), classCount, rules);
    this.#built.set(key, dfas);
    if (dfas.length > most) throw new TooComplex(rules[0]!);
    return dfas.map((dfa) => ({ ...dfa, acceptSets: dfa.acceptSets.map((set) => set.map((index) => rules[index]!)) }));
  }
}

function buildRanked(
  ranked: CompiledPattern[],
  classOf: Int32Array,
  classCount: number,
  rules: readonly number[],
): Dfa[] {
  try {
    return buildAutomata(ranked, classOf, classCount, MOST.automata);
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
