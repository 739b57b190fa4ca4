import { type Piece, readGlob } from './glob.ts';
import { PatternProblem } from './pattern-problem.ts';
import { expandVariables, type Scope } from './scope.ts';
import type { Token } from './token.ts';

/**
 * Parses a path pattern: absolute, `~/`, `./`, `${place}/`, or floating. Returns one row of tokens for each alternative that braces and the forms of
 * its directory give; a path matches the pattern when it matches one of them.
 *
 * @param warn is told of spellings that are valid but likely not meant
 * @throws PatternProblem
 */
export function parsePathPattern(text: string, scope: Scope, warn: (text: string) => void): Token[][] {
  if (text.startsWith('!'))
    throw new PatternProblem('negation is not supported', 0, 'write a rule with override: true');
  const { forms, rest } = expandVariables(text, scope);
  const rows: Token[][] = [];
  for (const pieces of rest === '' ? [[]] : readGlob(rest)) {
    const components = splitComponents(pieces);
    refuseOddComponents(components, forms !== null);
    if (pieces.some((piece) => piece.kind === 'stars' && piece.count === 2 && !isWhole(components, piece))) {
      warn('** inside a name matches within that name only; write **/ to match at any depth');
    }
    if (forms) for (const form of forms) rows.push(tokensOf(components.slice(1), form, false));
    else if (pieces[0]?.kind === 'slash') rows.push(tokensOf(components.slice(1), EMPTY, false));
    else rows.push(tokensOf(components, EMPTY, true));
  }
  return rows;
}

/**
 * Parses a pattern for the path of an HTTP request, which starts with a slash; the same dialect without places and variables.
 *
 * @throws PatternProblem
 */
export function parseRequestPathPattern(text: string, warn: (text: string) => void): Token[][] {
  if (!text.startsWith('/')) throw new PatternProblem('the path of a request starts with a slash', 0, `write /${text}`);
  const hidden = text.startsWith('/.') ? `/\\${text.slice(1)}` : text;
  return parsePathPattern(hidden, NO_PLACES, warn);
}

/** Whether this is a row that takes nothing but one literal path. */
export function literalOf(tokens: readonly Token[]): Uint8Array | null {
  const [only] = tokens;
  return tokens.length === 1 && only?.kind === 'bytes' ? only.bytes : null;
}

function splitComponents(pieces: readonly Piece[]): Piece[][] {
  const components: Piece[][] = [[]];
  for (const piece of pieces) {
    if (piece.kind === 'slash') components.push([]);
    else components.at(-1)!.push(piece);
  }
  return components;
}

function isWhole(components: readonly Piece[][], piece: Piece): boolean {
  return components.some((component) => component.length === 1 && component[0] === piece);
}

function refuseOddComponents(components: readonly Piece[][], anchored: boolean): void {
  components.forEach((component, position) => {
    const first = component[0];
    if (!first) {
      if (position > 0 && position < components.length - 1) {
        throw new PatternProblem('a pattern cannot hold two slashes in a row', 0, 'write one');
      }
      return;
    }
    const name = component.map((piece) => (piece.kind === 'char' ? piece.text : '*')).join('');
    if (name === '..') throw new PatternProblem('a pattern cannot hold ..', first.index, 'write the directory itself');
    if (name === '.') throw new PatternProblem('a pattern can hold . at the start only', first.index, 'leave it out');
    if (name === '~' && position === 0) throw new PatternProblem('~ can stand at the start only', first.index);
  });
  const hidden = components[1]?.[0];
  if (anchored || components[0]?.length !== 0 || hidden?.kind !== 'char' || hidden.text !== '.' || hidden.escaped)
    return;
  const name = components[1]!.map((piece) => (piece.kind === 'char' ? piece.text : '*')).join('');
  throw new PatternProblem(
    `/${name} names something in the root directory`,
    hidden.index,
    `write **/${name}/** for any place, ~/${name}/** for home, or /\\${name} if the root is meant`,
  );
}

function tokensOf(components: readonly Piece[][], prefix: Uint8Array, floating: boolean): Token[] {
  const row = new TokenRow(prefix);
  let pending = floating;
  components.forEach((component, position) => {
    const last = position === components.length - 1;
    const [only] = component;
    if (component.length === 0 || (component.length === 1 && only?.kind === 'stars' && only.count === 2)) {
      if (last) row.push({ kind: 'tail' });
      else pending = true;
      return;
    }
    if (pending) row.push({ kind: 'globstar' });
    else row.byte(0x2f);
    pending = false;
    if (component.length === 1 && only?.kind === 'stars') row.push({ kind: 'plus' });
    else for (const piece of component) addPiece(row, piece);
  });
  return row.finish();
}

function addPiece(row: TokenRow, piece: Piece): void {
  if (piece.kind === 'char') addText(row, piece.text);
  else if (piece.kind === 'set') row.push({ kind: 'set', set: piece.set });
  else if (piece.kind === 'stars') row.push({ kind: 'star' });
}

function addText(row: TokenRow, text: string): void {
  const code = text.charCodeAt(0);
  if (text.length === 1 && code < 0x80) row.byte(code);
  else for (const byte of ENCODER.encode(text)) row.byte(byte);
}

class TokenRow {
  readonly #tokens: Token[] = [];
  #bytes: number[];

  constructor(prefix: Uint8Array) {
    this.#bytes = [...prefix];
  }

  byte(byte: number): void {
    this.#bytes.push(byte);
  }

  push(token: Token): void {
    this.#flush();
    this.#tokens.push(token);
  }

  finish(): Token[] {
    // Nothing at all is left of the root directory itself, whose canonical path is a slash.
    if (this.#tokens.length === 0 && this.#bytes.length === 0) this.#bytes.push(0x2f);
    this.#flush();
    return this.#tokens;
  }

  #flush(): void {
    if (this.#bytes.length > 0) this.#tokens.push({ kind: 'bytes', bytes: Uint8Array.from(this.#bytes) });
    this.#bytes = [];
  }
}

const NO_PLACES: Scope = { places: new Map(), texts: new Map() };
const ENCODER = new TextEncoder();
const EMPTY = new Uint8Array(0);
