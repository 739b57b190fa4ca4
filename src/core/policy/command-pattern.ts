import { characterSet } from './characters.ts';
import { PatternProblem } from './pattern-problem.ts';
import { expandVariables, type Scope } from './scope.ts';
import type { Token } from './token.ts';

export type CommandPattern = {
  /** A slash in the first word: the pattern is held against the program's full path, else against its base name. */
  byPath: boolean;
  /** The first word is `*`: the pattern is about programs anywhere, those that the run could have written included. */
  anyProgram: boolean;
  rows: Token[][];
};

/**
 * Parses a command pattern. `*` takes any bytes, `?` one character, a backslash makes the next character plain; nothing else is special. Without a
 * wildcard the pattern is the whole command. ` *` at the end takes the command without arguments as well.
 *
 * @throws PatternProblem
 */
export function parseCommandPattern(text: string, scope: Scope): CommandPattern {
  const trimmed = text.trim().replace(/ +/g, ' ');
  const { forms, rest } = expandVariables(trimmed, scope);
  if (/[\n\t]/.test(rest)) throw new PatternProblem('a command is one line of words', 0);
  const [program = ''] = rest.split(' ', 1);
  const args = rest.slice(program.length);
  if (!forms && !program.includes('/')) {
    const rows = argumentRows(args).map((row) => [...wildcards(program), ...row]);
    return { byPath: false, anyProgram: program === '*', rows };
  }
  if (program.split('/').includes('..'))
    throw new PatternProblem('a path cannot hold ..', 0, 'write the directory itself');
  const programs = (forms ?? [EMPTY]).flatMap((form) => programRows(form, program, forms === null));
  const rows = programs.flatMap((row) => argumentRows(args).map((tail) => [...row, ...tail]));
  return { byPath: true, anyProgram: false, rows };
}

/** The program's word as it stands in the canonical text: as it is, and quoted, since a wildcard may take bytes that need quotes. */
function programRows(form: Uint8Array, program: string, absolute: boolean): Token[][] {
  const floating = absolute && !program.startsWith('/');
  const lead: Token[] = floating ? [{ kind: 'any' }, bytes('/')] : [];
  const plain: Token[] = [...lead, ...literal(form), ...wildcards(program)];
  const quoted: Token[] = [bytes("'"), ...lead, ...quotedTokens([...literal(form), ...wildcards(program)]), bytes("'")];
  return [plain, quoted];
}

/** Inside quotes a quote is written '\'' and everything else as it is. */
function quotedTokens(tokens: readonly Token[]): Token[] {
  return tokens.map((token) => {
    if (token.kind !== 'bytes') return token;
    const out: number[] = [];
    for (const byte of token.bytes) out.push(...(byte === 0x27 ? [0x27, 0x5c, 0x27, 0x27] : [byte]));
    return { kind: 'bytes', bytes: Uint8Array.from(out) };
  });
}

function argumentRows(args: string): Token[][] {
  const rows = [wildcards(args)];
  if (args.endsWith(' *') && !args.endsWith('\\ *')) rows.push(wildcards(args.slice(0, -2)));
  return rows;
}

function wildcards(text: string): Token[] {
  const tokens: Token[] = [];
  let plain = '';
  const flush = (): void => {
    if (plain) tokens.push(bytes(plain));
    plain = '';
  };
  const points = Array.from(text);
  for (let at = 0; at < points.length; at++) {
    const point = points[at]!;
    if (point === '\\') {
      if (at + 1 === points.length)
        throw new PatternProblem('a backslash at the end stands for nothing', 0, 'write \\\\');
      plain += points[++at];
    } else if (point === '*') {
      flush();
      if (tokens.at(-1)?.kind !== 'any') tokens.push({ kind: 'any' });
    } else if (point === '?') {
      flush();
      tokens.push({ kind: 'set', set: ANY_CHARACTER });
    } else plain += point;
  }
  flush();
  return tokens;
}

function literal(form: Uint8Array): Token[] {
  return form.length > 0 ? [{ kind: 'bytes', bytes: form }] : [];
}

function bytes(text: string): Token {
  return { kind: 'bytes', bytes: new TextEncoder().encode(text) };
}

const EMPTY = new Uint8Array(0);
const ANY_CHARACTER = characterSet([], true, true);
