import { PatternProblem } from './pattern-problem.ts';
import type { PolicyRoots, RootForms } from './source.ts';

/** The names that patterns of one file may use. */
export type Scope = {
  /** Directories by variable name, in all their forms, compared byte for byte. */
  places: ReadonlyMap<string, readonly Uint8Array[]>;
  /** Pieces of pattern text that the file declares. */
  texts: ReadonlyMap<string, string>;
};

export function placesOf(roots: PolicyRoots): Map<string, readonly Uint8Array[]> {
  const places = new Map<string, readonly Uint8Array[]>(Object.entries(roots.places ?? {}));
  places.set('home', formsOf(roots.home));
  places.set('workspace', formsOf(roots.workspace));
  places.set('tmp', formsOf(roots.tmp));
  return places;
}

/** What a pattern is anchored at, and the text that follows. `forms` is null when no place leads the pattern. */
export type Anchored = { forms: readonly Uint8Array[] | null; rest: string };

/**
 * Puts in declared variables and takes a leading `~`, `./` or `${place}` off.
 * @throws PatternProblem for undefined variables, and for a place anywhere but at the start
 */
export function expandVariables(text: string, scope: Scope): Anchored {
  if (text === '') throw new PatternProblem('an empty pattern matches nothing', 0, 'use an empty list for that');
  if (/[\0\p{Surrogate}]/u.test(text))
    throw new PatternProblem('the pattern holds a character that no name can have', 0);
  const lead = leadingPlace(text, scope);
  let expanded = lead.rest;
  if (!lead.forms) {
    const declared = /^\$\{([^}]*)\}/.exec(text);
    const value = declared ? scope.texts.get(declared[1]!) : undefined;
    if (declared && value !== undefined) {
      const inner = leadingPlace(value, scope);
      return { forms: inner.forms, rest: inner.rest + replaceTexts(text.slice(declared[0].length), scope) };
    }
    expanded = text;
  }
  return { forms: lead.forms, rest: replaceTexts(expanded, scope) };
}

function leadingPlace(text: string, scope: Scope): Anchored {
  const named = /^\$\{([^}]*)\}/.exec(text);
  if (named) {
    const forms = scope.places.get(named[1]!);
    return forms ? anchor(forms, text, named[0].length) : { forms: null, rest: text };
  }
  if (/^~(\/|$)/.test(text)) return anchor(scope.places.get('home')!, text, 1);
  if (text.startsWith('~')) {
    throw new PatternProblem(
      "another user's home cannot be named with ~",
      0,
      'write its path, or \\~ for the character',
    );
  }
  if (text === '.' || text.startsWith('./')) return anchor(scope.places.get('workspace')!, text, 1);
  return { forms: null, rest: text };
}

function anchor(forms: readonly Uint8Array[], text: string, length: number): Anchored {
  const rest = text.slice(length);
  if (rest !== '' && !rest.startsWith('/')) {
    throw new PatternProblem('a directory must be followed by a slash', length, `write ${text.slice(0, length)}/…`);
  }
  return { forms, rest };
}

function replaceTexts(text: string, scope: Scope): string {
  return text.replace(/\\.|\$\{([^}]*)\}?/gs, (whole, name: string | undefined, index: number) => {
    if (name === undefined) return whole;
    const value = scope.texts.get(name);
    if (value !== undefined && whole.endsWith('}')) return value;
    if (scope.places.has(name)) throw new PatternProblem(`\${${name}} can stand at the start of a pattern only`, index);
    const known = [...['home', 'workspace', 'tmp'], ...scope.texts.keys()].join(', ');
    throw new PatternProblem(`undefined variable "${name}"`, index, `variables are ${known}`);
  });
}

function formsOf({ lexical, real }: RootForms): readonly Uint8Array[] {
  const forms = [lexical, real].map(withoutTrailingSlash);
  return equalBytes(forms[0]!, forms[1]!) ? [forms[0]!] : forms;
}

/** The root directory becomes empty, so that `form + "/x"` is right for it as well. */
function withoutTrailingSlash(path: Uint8Array): Uint8Array {
  let end = path.length;
  while (end > 0 && path[end - 1] === 0x2f) end--;
  return path.subarray(0, end);
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
