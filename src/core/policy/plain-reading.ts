import { EFFECT } from '../wire/messages.ts';
import type { ActionDefault, RuleEntry, RuleTable } from './rule-table.ts';
import { RULE_FLAG } from './rule-table.ts';
import { LAYER } from './source.ts';

/** Why a set of matching rules is no plain allowance: the rule that is in the way, or null when none allows. */
export type Hindrance = { rule: RuleEntry | null };

/** What the rules that match together say, whatever is granted: grants answer what asks, and end. */
export class MatchingRules {
  readonly #table: RuleTable;
  readonly #byDefault: Hindrance | null;

  constructor(table: RuleTable, action: number) {
    this.#table = table;
    this.#byDefault = isPlain(table.defaults[action]!) ? null : { rule: null };
  }

  /** Null when they allow, and no receipt is due. */
  hindrance(matching: readonly number[]): Hindrance | null {
    const left = this.left(matching);
    if (left.length === 0) return this.#byDefault;
    const rules = left.map((index) => this.#table.rules[index]!);
    const strictest = Math.max(...rules.map(({ effect }) => EFFECT[effect]));
    if (strictest > EFFECT.allow) return { rule: rules.find(({ effect }) => EFFECT[effect] === strictest)! };
    const logged = rules.find(({ flags }) => (flags & RULE_FLAG.log) !== 0);
    return logged ? { rule: logged } : null;
  }

  /** Those that no override among them pierces. */
  left(matching: readonly number[]): number[] {
    const rules = [...new Set(matching)].filter((index) => !this.#isGrant(index)).sort((a, b) => a - b);
    return rules.filter((index) => !rules.some((other) => this.pierces(other, index)));
  }

  pierces(one: number, other: number): boolean {
    const strong = this.#table.rules[one]!;
    const weak = this.#table.rules[other]!;
    if ((strong.flags & RULE_FLAG.override) === 0 || EFFECT[strong.effect] >= EFFECT[weak.effect]) return false;
    return this.#table.files[strong.file]!.pierces.has(weak.file);
  }

  /** Whether the rule alone could be in the way somewhere. */
  mayHinder(index: number): boolean {
    const { effect, flags } = this.#table.rules[index]!;
    return !this.#isGrant(index) && (effect !== 'allow' || (flags & RULE_FLAG.log) !== 0);
  }

  #isGrant(index: number): boolean {
    return this.#table.files[this.#table.rules[index]!.file]!.layer === LAYER.grants;
  }
}

const isPlain = ({ effect, log }: ActionDefault): boolean => effect === 'allow' && !log;
