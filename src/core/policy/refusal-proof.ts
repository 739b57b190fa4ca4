import type { Dfa } from './dfa.ts';
import { SLASH } from './hierarchy.ts';
import { AUTOMATON_KIND } from './image-layout.ts';
import { MatchingRules } from './plain-reading.ts';
import { Product } from './product.ts';
import type { RuleEntry, RuleTable } from './rule-table.ts';

/**
 * How far the text of a command has come: `name` and `slash` in a program's path that stands without quotes, `quoted` and `quotedSlash` in one that
 * stands in them, `closed` behind a quote that ends it or begins '\'', which stands for a quote; `ended` and `aside` where it can be only the one or
 * the other; `escape` and `reopen` within '\''; `words` behind it all. After a slash something has to follow.
 */
type Stage = 'slash' | 'name' | 'quotedSlash' | 'quoted' | 'closed' | 'ended' | 'aside' | 'escape' | 'reopen' | 'words';
type Place = { states: number[]; stage: Stage; within: Trie | null };

/** Proves that a rule refuses every command of every program at and beneath a path, whatever programs of that name may do elsewhere. */
export class RefusalProver {
  readonly #matching: MatchingRules;
  readonly #product: Product;
  /** Rules that no override about a bare name could lift. */
  readonly #firm: ReadonlySet<number>;
  readonly #refusals = new Map<string, boolean>();
  #budget = MOST_PLACES;

  /** @param dfas the automata of shell_exec that read commands by path */
  constructor(table: RuleTable, action: number, dfas: readonly Dfa[]) {
    this.#matching = new MatchingRules(table, action);
    this.#product = new Product(dfas);
    const own = (holds: (rule: RuleEntry) => boolean): number[] =>
      table.rules.flatMap((rule, index) => (rule.action === action && holds(rule) ? [index] : []));
    const bare = own(({ rows }) => rows.some(({ kind }) => kind === AUTOMATON_KIND.commandBase));
    const refusals = own(({ effect }) => effect === 'deny');
    this.#firm = new Set(refusals.filter((rule) => !bare.some((other) => this.#matching.pierces(other, rule))));
  }

  /**
   * @param exceptions programs beneath the path, or directories of them
   * @param isDirectory whether the path itself is no program for sure
   */
  refusesAllBut(path: Uint8Array, exceptions: readonly Uint8Array[], isDirectory: boolean): boolean {
    if (this.#firm.size === 0) return false;
    const directory = path.length === 1 ? NOTHING : path;
    const plain = this.#product.run(this.#product.start, directory);
    const quoted = this.#product.run(this.#product.start, Uint8Array.of(QUOTE, ...inQuotes(directory)));
    const within = (spell: Spelling): Trie =>
      trieOf(exceptions.map((exception) => spell(exception.subarray(directory.length))));
    const beneath = isDirectory || directory === NOTHING;
    return (
      (beneath || this.#refuses(plain)) &&
      this.#search(this.#leave({ states: plain, stage: 'name', within: within(asIs) }, beneath)) &&
      this.#search(this.#leave({ states: quoted, stage: 'quoted', within: within(inQuotes) }, beneath))
    );
  }

  /** Out of the directory's own name, which goes no further. */
  #leave(place: Place, beneath: boolean): Place[] {
    const next = this.#next(place).filter(
      ({ stage }) => stage === 'slash' || stage === 'quotedSlash' || stage === 'words' || stage === 'closed',
    );
    if (beneath) return next.filter(({ stage }) => stage === 'slash' || stage === 'quotedSlash');
    return next.map((one) => (one.stage === 'closed' ? { ...one, stage: 'ended' } : one));
  }

  #search(open: Place[]): boolean {
    const seen = new Set<string>();
    for (let place = open.pop(); place; place = open.pop()) {
      const key = `${place.states.join()} ${place.stage} ${place.within?.number ?? ''}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (COMPLETE.has(place.stage) && !place.within?.ends && !this.#refuses(place.states)) return false;
      if (this.#isSettled(place)) continue;
      if (--this.#budget < 0) return false;
      open.push(...this.#next(place));
    }
    return true;
  }

  #next({ states, stage, within }: Place): Place[] {
    return this.#product.lettersAt(states).flatMap((letter): Place[] => {
      const next = within?.ends ? behindException(stage, letter.byte) : stageAfter(stage, letter.byte);
      if (!next) return [];
      const place = { states: this.#product.next(states, letter), stage: next };
      const deeper = within?.children.get(letter.byte) ?? null;
      // A letter that stands for others as well leaves the way to an exception by them.
      const aside = deeper && letter.size > 1 ? [{ ...place, within: null }] : [];
      return [{ ...place, within: deeper }, ...aside];
    });
  }

  /** Whatever follows is refused, as this is. */
  #isSettled({ states, within }: Place): boolean {
    return (
      within === null && states.every((_, index) => this.#product.isSettled(states, index)) && this.#refuses(states)
    );
  }

  #refuses(states: readonly number[]): boolean {
    const key = this.#product.accepts(states);
    const known = this.#refusals.get(key);
    if (known !== undefined) return known;
    const made = this.#matching.left(this.#product.rules(states)).some((rule) => this.#firm.has(rule));
    this.#refusals.set(key, made);
    return made;
  }
}

function stageAfter(stage: Stage, byte: number): Stage | null {
  switch (stage) {
    case 'slash':
    case 'name':
      if (byte === BLANK) return stage === 'name' ? 'words' : null;
      return byte === SLASH ? 'slash' : 'name';
    case 'quotedSlash':
    case 'quoted':
      if (byte === QUOTE) return stage === 'quoted' ? 'closed' : 'aside';
      return byte === SLASH ? 'quotedSlash' : 'quoted';
    case 'closed':
      return byte === BACKSLASH ? 'escape' : stageAfter('ended', byte);
    case 'ended':
      return byte === BLANK ? 'words' : null;
    case 'aside':
      return byte === BACKSLASH ? 'escape' : null;
    case 'escape':
      return byte === QUOTE ? 'reopen' : null;
    case 'reopen':
      return byte === QUOTE ? 'quoted' : null;
    case 'words':
      return 'words';
  }
}

/** What the exception's own name, what is beneath it, and its arguments are left out of. */
function behindException(stage: Stage, byte: number): Stage | null {
  const next = stageAfter(stage, byte);
  return next === 'closed' ? 'aside' : next === 'slash' || next === 'quotedSlash' || next === 'words' ? null : next;
}

/** What of the exceptions lies ahead. */
type Trie = { number: number; ends: boolean; children: Map<number, Trie> };

function trieOf(texts: readonly Uint8Array[]): Trie {
  let count = 0;
  const node = (): Trie => ({ number: count++, ends: false, children: new Map() });
  const root = node();
  for (const text of texts) {
    let at = root;
    for (const byte of text) {
      const child = at.children.get(byte) ?? node();
      at.children.set(byte, child);
      at = child;
    }
    at.ends = true;
  }
  return root;
}

type Spelling = (path: Uint8Array) => Uint8Array;
const asIs: Spelling = (path) => path;

function inQuotes(path: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (const byte of path) out.push(...(byte === QUOTE ? [QUOTE, BACKSLASH, QUOTE, QUOTE] : [byte]));
  return Uint8Array.from(out);
}

const NOTHING = new Uint8Array(0);
const QUOTE = 0x27;
const BACKSLASH = 0x5c;
const BLANK = 0x20;
const COMPLETE: ReadonlySet<Stage> = new Set(['name', 'closed', 'ended', 'words']);
/** For all hierarchies together. */
const MOST_PLACES = 20_000;
