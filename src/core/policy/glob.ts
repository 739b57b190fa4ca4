import { characterSet } from './characters.ts';
import { PatternProblem } from './pattern-problem.ts';
import type { CharacterSet } from './token.ts';

/** A lexical piece of a path pattern. `stars` is a run of one or two asterisks. */
export type Piece =
  | { kind: 'char'; text: string; index: number; escaped: boolean }
  | { kind: 'slash'; index: number }
  | { kind: 'stars'; count: number; index: number }
  | { kind: 'set'; set: CharacterSet; index: number };

/**
 * Splits a path pattern into its pieces, one list for each way to choose from its braces.
 * @throws PatternProblem for what the dialect does not have
 */
export function readGlob(pattern: string): Piece[][] {
  const reader = new GlobReader(pattern);
  const alternatives = reader.sequence(0);
  reader.expectEnd();
  return alternatives;
}

class GlobReader {
  readonly #points: string[];
  #at = 0;
  #index = 0;

  constructor(pattern: string) {
    this.#points = Array.from(pattern);
  }

  /** Alternatives of a sequence that ends at the pattern's end or, inside braces, before `,` or `}`. */
  sequence(depth: number): Piece[][] {
    if (depth > DEEPEST_BRACES) throw new PatternProblem('braces are nested too deeply', this.#index);
    let alternatives: Piece[][] = [[]];
    while (this.#at < this.#points.length) {
      const next = this.#points[this.#at]!;
      if (depth > 0 && (next === ',' || next === '}')) break;
      const pieces = next === '{' && this.#isChoice(depth) ? this.#choice(depth) : [[this.#piece()]];
      if (alternatives.length * pieces.length > MOST_ALTERNATIVES) {
        throw new PatternProblem(
          `braces give more than ${MOST_ALTERNATIVES} alternatives`,
          this.#index,
          'write several patterns',
        );
      }
      if (pieces.length === 1) for (const before of alternatives) before.push(...pieces[0]!);
      else alternatives = alternatives.flatMap((before) => pieces.map((piece) => [...before, ...piece]));
    }
    return alternatives;
  }

  expectEnd(): void {
    if (this.#at < this.#points.length)
      throw new PatternProblem('braces are not balanced', this.#index, 'write \\} for the character');
  }

  /** `{` opens a choice when its closing brace comes after a comma at the same depth; `{x}` is text, as in a shell. */
  #isChoice(outer: number): boolean {
    let depth = 0;
    let comma = false;
    let dots = false;
    for (let at = this.#at; at < this.#points.length; at++) {
      const point = this.#points[at];
      if (point === '\\') at++;
      else if (point === '{') depth++;
      else if (point === ',' && depth === 1) comma = true;
      else if (point === '.' && this.#points[at + 1] === '.' && depth === 1) dots = true;
      else if (point === '}' && --depth === 0) {
        if (comma) return true;
        if (!dots && outer === 0) return false;
        throw new PatternProblem(
          `braces without a comma have no meaning here`,
          this.#index,
          'write {a,b}, or \\{ for the character',
        );
      }
    }
    throw new PatternProblem('braces are not balanced', this.#index, 'write \\{ for the character');
  }

  #choice(depth: number): Piece[][] {
    const choices: Piece[][] = [];
    do {
      this.#take();
      choices.push(...this.sequence(depth + 1));
    } while (this.#points[this.#at] === ',');
    this.#take();
    return choices;
  }

  #piece(): Piece {
    const index = this.#index;
    const point = this.#take();
    const follows = this.#points[this.#at];
    if (follows === '(' && '?*+@!'.includes(point)) {
      throw new PatternProblem(
        `extended globs like ${point}(…) are not supported`,
        index,
        'write the alternatives in braces',
      );
    }
    switch (point) {
      case '/':
        return { kind: 'slash', index };
      case '*':
        return { kind: 'stars', count: this.#stars(index), index };
      case '?':
        return { kind: 'set', set: ANY_CHARACTER, index };
      case '[':
        return { kind: 'set', set: this.#class(index), index };
      case '{':
      case '}':
        return { kind: 'char', text: point, index, escaped: false };
      case '\\': {
        if (follows === undefined)
          throw new PatternProblem('a backslash at the end stands for nothing', index, 'write \\\\');
        return { kind: 'char', text: this.#take(), index, escaped: true };
      }
      default:
        return { kind: 'char', text: point, index, escaped: false };
    }
  }

  #stars(index: number): number {
    let count = 1;
    while (this.#points[this.#at] === '*') {
      this.#take();
      count++;
    }
    if (count > 2) throw new PatternProblem(`${count} asterisks in a row have no meaning`, index, 'write * or **');
    if (this.#points[this.#at] === '(') throw new PatternProblem('extended globs are not supported', index);
    return count;
  }

  #class(index: number): CharacterSet {
    const negated = this.#points[this.#at] === '!' || this.#points[this.#at] === '^';
    if (negated) this.#take();
    const ranges: [number, number][] = [];
    while (this.#points[this.#at] !== ']' || ranges.length === 0) {
      const low = this.#classMember(index);
      let high = low;
      if (this.#points[this.#at] === '-' && this.#points[this.#at + 1] !== ']') {
        this.#take();
        high = this.#classMember(index);
      }
      if (high < low) throw new PatternProblem('a range in brackets runs backwards', index);
      ranges.push([low, high]);
    }
    this.#take();
    return characterSet(ranges, negated, false);
  }

  #classMember(index: number): number {
    if (this.#at >= this.#points.length) {
      throw new PatternProblem('a bracket is not closed', index, 'write \\[ for the character');
    }
    let point = this.#take();
    if (point === '[' && ':.='.includes(this.#points[this.#at] ?? ' ')) {
      throw new PatternProblem('named classes like [:alpha:] are not supported', index, 'write the range, [a-z]');
    }
    if (point === '/') throw new PatternProblem('a slash in brackets never matches', index);
    if (point === '\\') point = this.#at < this.#points.length ? this.#take() : point;
    return point.codePointAt(0)!;
  }

  #take(): string {
    const point = this.#points[this.#at++]!;
    this.#index += point.length;
    return point;
  }
}

export const ANY_CHARACTER: CharacterSet = characterSet([], true, false);
const DEEPEST_BRACES = 16;
const MOST_ALTERNATIVES = 1024;
