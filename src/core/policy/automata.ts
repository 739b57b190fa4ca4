import { determinize, type Limits } from './determinize.ts';
import type { Dfa } from './dfa.ts';
import { minimize } from './minimize.ts';
import { PatternGraph } from './pattern-graph.ts';
import { Pruning } from './pruning.ts';
import type { Token } from './token.ts';

/** A pattern and the number of the rule that it stands for. */
export type CompiledPattern = { tokens: readonly Token[]; rule: number };

/** The patterns cannot be turned into automata of reasonable size; `rule` has the pattern with the most wildcards. */
export class TooComplex extends Error {
  readonly rule: number;
  constructor(rule: number) {
    super('patterns are too complex together');
    this.name = 'TooComplex';
    this.rule = rule;
  }
}

/**
 * Turns patterns into few deterministic automata whose accept sets, united, name every rule that a verdict can depend on: one if it
 * can be, else one for floating patterns and one for anchored ones, whose product is large where their sum is small. Each stays within
 * a small multiple of the patterns' own size: groups that pass it are named coarsely, then split.
 *
 * @param classOf class of each rule; rules of one class differ only in their number
 * @throws TooComplex when more than `most` automata would be needed
 */
export function buildAutomata(
  patterns: readonly CompiledPattern[],
  classOf: Int32Array,
  classCount: number,
  most: number,
): Dfa[] {
  const limits = { states: 0, work: WORK };
  const floating = patterns.filter(({ tokens }) => isFloating(tokens));
  const anchored = patterns.filter(({ tokens }) => !isFloating(tokens));
  const built: Dfa[] = [];
  for (const group of areSmallTogether(anchored, floating) ? [patterns] : [anchored, floating]) {
    if (group.length > 0) build([...group], { classOf, classCount }, limits, most, built);
  }
  return built;
}

type Classes = { classOf: Int32Array; classCount: number };

function build(group: CompiledPattern[], classes: Classes, limits: Limits, most: number, built: Dfa[]): void {
  const dfa = attempt(group, classes, limits);
  if (dfa) {
    if (built.push(dfa) > most) throw new TooComplex(wildest(group));
    return;
  }
  if (group.length === 1 || limits.work < 0) throw new TooComplex(wildest(group));
  group.sort((a, b) => wildcards(a.tokens) - wildcards(b.tokens));
  const half = group.length >> 1;
  build(group.slice(0, half), classes, limits, most, built);
  build(group.slice(half), classes, limits, most, built);
}

function attempt(group: readonly CompiledPattern[], { classOf, classCount }: Classes, limits: Limits): Dfa | null {
  const graph = new PatternGraph();
  const joins = joinsOf(group);
  for (const { tokens, rule } of group) {
    const { joinAt, joinKey } = joinOf(tokens, rule);
    graph.add(tokens, rule, joins.has(joinKey) ? joinAt : -1, joinKey);
  }
  graph.freeze();
  limits.states = SMALLEST_LIMIT + STATES_PER_NODE * graph.size;
  for (const coarse of [false, true]) {
    const dfa = determinize(graph, new Pruning(graph, classOf, classCount, coarse), limits);
    if (dfa) return minimize(dfa);
  }
  return null;
}

/**
 * Alternatives in braces become patterns of their own. Where they differ only before a `**`, they are made to go on as one behind it: else the states
 * after each of them, and after each combination of them, would be different ones.
 */
function joinsOf(group: readonly CompiledPattern[]): Set<string> {
  const seen = new Set<string>();
  const joins = new Set<string>();
  for (const { tokens, rule } of group) {
    const { joinAt, joinKey } = joinOf(tokens, rule);
    if (joinAt > 0 && seen.has(joinKey)) joins.add(joinKey);
    seen.add(joinKey);
  }
  return joins;
}

/** The last `**` inside the pattern, and a text that is the same for what goes on alike. */
function joinOf(tokens: readonly Token[], rule: number): { joinAt: number; joinKey: string } {
  const joinAt = tokens.findLastIndex(({ kind }) => kind === 'globstar');
  if (joinAt <= 0) return { joinAt: -1, joinKey: '' };
  return { joinAt, joinKey: `${rule}:${tokens.slice(joinAt).map(textOf).join('')}` };
}

/** Equal tokens have equal texts. */
export function textOf(token: Token): string {
  if (token.kind === 'bytes') return `<${token.bytes.join()}>`;
  return token.kind === 'set' ? `[${token.set.key}]` : `(${token.kind})`;
}

/** Beneath every anchored directory all floating patterns are awaited again. */
function areSmallTogether(anchored: readonly CompiledPattern[], floating: readonly CompiledPattern[]): boolean {
  const tails = new Set(anchored.filter(({ tokens }) => tokens.at(-1)?.kind === 'tail').map(({ rule }) => rule));
  const states = floating.reduce((sum, { tokens }) => sum + size(tokens), 0);
  return (tails.size + 1) * states <= LARGEST_PRODUCT;
}

function size(tokens: readonly Token[]): number {
  return tokens.reduce((sum, token) => sum + (token.kind === 'bytes' ? token.bytes.length : 1), 0);
}

function isFloating(tokens: readonly Token[]): boolean {
  return tokens[0]?.kind === 'globstar' || tokens[0]?.kind === 'any';
}

function wildcards(tokens: readonly Token[]): number {
  return tokens.filter(({ kind }) => kind !== 'bytes').length;
}

function wildest(group: readonly CompiledPattern[]): number {
  return group.reduce((most, next) => (wildcards(next.tokens) > wildcards(most.tokens) ? next : most)).rule;
}

const LARGEST_PRODUCT = 50_000;
const SMALLEST_LIMIT = 10_000;
const STATES_PER_NODE = 3;
/** Graph nodes looked at in all attempts together: a few seconds at most. */
const WORK = 20_000_000;
