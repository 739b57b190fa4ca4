/**
 * Holds a text (a path, a host with its port, a command) against a pattern as people search with it: `*` takes any characters, slashes too, `?` one, `[a-z]` and `[!a]` one
 * of a set, `{a,b}` either, `\` the next as it is. A pattern for no certain place (it begins with neither `/` nor `*`) is met at the beginning of any name of a path, and one
 * that ends with `/` by everything beneath. The texts come from agents, so the cost never grows faster than the product of both lengths.
 * @throws RangeError when the pattern has more alternatives than anybody would type
 */
export function targetGlob(pattern: string): (text: string) => boolean {
  const globs = alternatives(pattern).flatMap(places).map(tokens);
  return (text) => globs.some((glob) => isMatch(glob, text));
}

/** A character, a set, any one character, or any characters. */
type Token = string | { set: readonly (readonly [number, number])[]; not: boolean } | typeof ANY | typeof MANY;
const ANY = Symbol('?');
const MANY = Symbol('*');

/** `a{b,c}` as `ab` and `ac`. Braces that hold no comma, or are not closed, are text. */
function alternatives(pattern: string): string[] {
  let found: { open: number; parts: string[]; close: number } | undefined;
  const open: { at: number; commas: number[] }[] = [];
  for (let at = 0; at < pattern.length && !found; at++) {
    const character = pattern[at];
    if (character === '\\') at += 1;
    else if (character === '{') open.push({ at, commas: [] });
    else if (character === ',') open.at(-1)?.commas.push(at);
    else if (character === '}') {
      const inner = open.pop();
      if (inner && inner.commas.length > 0) {
        const ends = [inner.at, ...inner.commas, at];
        const parts = ends.slice(1).map((end, index) => pattern.slice(ends[index]! + 1, end));
        found = { open: inner.at, parts, close: at };
      }
    }
  }
  if (!found) return [pattern];
  const { open: from, parts, close } = found;
  const all: string[] = [];
  for (const part of parts) {
    all.push(...alternatives(pattern.slice(0, from) + part + pattern.slice(close + 1)));
    if (all.length > MOST_ALTERNATIVES) throw new RangeError('the pattern has too many alternatives');
  }
  return all;
}

function places(pattern: string): string[] {
  const beneath = pattern.length > 1 && pattern.endsWith('/') ? [pattern.slice(0, -1), `${pattern}*`] : [pattern];
  return /^[/*]/.test(pattern) ? beneath : [...beneath, ...beneath.map((each) => `*/${each}`)];
}

function tokens(pattern: string): Token[] {
  const out: Token[] = [];
  for (let at = 0; at < pattern.length; ) {
    const character = String.fromCodePoint(pattern.codePointAt(at)!);
    const set = character === '[' ? readSet(pattern, at) : undefined;
    if (set) {
      out.push(set.token);
      at = set.end;
    } else if (character === '*') {
      if (out.at(-1) !== MANY) out.push(MANY);
      at += 1;
    } else if (character === '\\' && at + 1 < pattern.length) {
      const next = String.fromCodePoint(pattern.codePointAt(at + 1)!);
      out.push(next);
      at += 1 + next.length;
    } else {
      out.push(character === '?' ? ANY : character);
      at += character.length;
    }
  }
  return out;
}

/** Undefined for a bracket that nothing closes. A `]` that comes first belongs to the set. */
function readSet(pattern: string, from: number): { token: Token; end: number } | undefined {
  const not = pattern[from + 1] === '!' || pattern[from + 1] === '^';
  const first = from + (not ? 2 : 1);
  const close = pattern.indexOf(']', first + 1);
  if (close < 0) return undefined;
  const members = [...pattern.slice(first, close)];
  const set: [number, number][] = [];
  for (let at = 0; at < members.length; at++) {
    const low = members[at]!.codePointAt(0)!;
    const isRange = members[at + 1] === '-' && at + 2 < members.length;
    set.push([low, isRange ? members[at + 2]!.codePointAt(0)! : low]);
    if (isRange) at += 2;
  }
  return { token: { set, not }, end: close + 1 };
}

/** Goes back to the last `*` alone: what an earlier one could take more of, the last one can as well. */
function isMatch(glob: readonly Token[], text: string): boolean {
  const characters = [...text];
  let [at, place, star, resume] = [0, 0, -1, 0];
  while (at < characters.length) {
    const token = glob[place];
    if (token === MANY) {
      star = place++;
      resume = at;
    } else if (token !== undefined && takes(token, characters[at]!)) {
      at += 1;
      place += 1;
    } else if (star >= 0) {
      place = star + 1;
      at = ++resume;
    } else return false;
  }
  while (glob[place] === MANY) place += 1;
  return place === glob.length;
}

function takes(token: Token, character: string): boolean {
  if (typeof token === 'string') return token === character;
  if (token === ANY || token === MANY) return true;
  const code = character.codePointAt(0)!;
  return token.set.some(([low, high]) => code >= low && code <= high) !== token.not;
}

const MOST_ALTERNATIVES = 256;
