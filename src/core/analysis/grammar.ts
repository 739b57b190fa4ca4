/** What a move adds to the text on a lane: the byte itself, or fixed bytes in its place (a quote inside quotes). */
export type Feed = 'byte' | Uint8Array;

/** `bytes` null: nothing is read. `seals`: what the last lane has reached is turned into a mark, and the lane ends. */
export type Move = { bytes: Uint8Array | null; feeds: readonly (Feed | undefined)[]; next: number; seals: boolean };

/**
 * What subjects look like, as an automaton whose moves may feed several lanes: the texts of one subject that different automata read.
 * Nondeterministic, since where the last name of a program's path begins shows only at its end.
 */
export type Grammar = {
  starts: readonly { shape: number; feeds: readonly (Uint8Array | undefined)[] }[];
  moves: readonly (readonly Move[])[];
  complete: readonly boolean[];
};

/** Canonical absolute paths on lane 0: no empty, `.` or `..` names, no NUL. */
export function pathGrammar(): Grammar {
  const builder = new GrammarBuilder();
  const shape = pathShapes(builder, { feeds: ['byte'], allowed: NAME_BYTE });
  return builder.finish([{ shape: shape.start, feeds: [] }], [shape.root, shape.name]);
}

/**
 * Canonical command texts: lane 0 with the program's full path, lane 1 with its base name, lane 2 the path as it is, which ends where
 * the arguments begin. Words are quoted as `canonicalCommand` quotes them, the program by what its path or its name holds.
 */
export function commandGrammar(): Grammar {
  const builder = new GrammarBuilder();
  const words = argumentShapes(builder);
  const plain = programShapes(builder, words.afterProgram, { directory: 'plain', name: 'plain' });
  const quotedPath = programShapes(builder, words.afterProgram, { directory: 'special', name: 'plain' });
  const quotedBoth = programShapes(builder, words.afterProgram, { directory: 'any', name: 'special' });
  return builder.finish(
    [
      { shape: plain, feeds: [] },
      { shape: quotedPath, feeds: [QUOTE_TEXT] },
      { shape: quotedBoth, feeds: [QUOTE_TEXT, QUOTE_TEXT] },
    ],
    words.complete,
  );
}

class GrammarBuilder {
  readonly #moves: Move[][] = [];

  shape(): number {
    return this.#moves.push([]) - 1;
  }

  move(
    from: number,
    bytes: Uint8Array | null,
    feeds: readonly (Feed | undefined)[],
    next: number,
    seals = false,
  ): void {
    this.#moves[from]!.push({ bytes, feeds, next, seals });
  }

  finish(starts: Grammar['starts'], complete: readonly number[]): Grammar {
    return { starts, moves: this.#moves, complete: this.#moves.map((_, shape) => complete.includes(shape)) };
  }
}

function pathShapes(
  builder: GrammarBuilder,
  { feeds, allowed }: { feeds: readonly Feed[]; allowed: Uint8Array },
): { start: number; root: number; name: number } {
  const [start, root, slash, dot, dots, name] = Array.from({ length: 6 }, () => builder.shape()) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  builder.move(start, SLASH, feeds, root);
  for (const before of [root, slash]) {
    builder.move(before, DOT, feeds, dot);
    builder.move(before, without(allowed, DOT), feeds, name);
  }
  builder.move(dot, DOT, feeds, dots);
  builder.move(dot, without(allowed, DOT), feeds, name);
  builder.move(dots, allowed, feeds, name);
  builder.move(name, allowed, feeds, name);
  builder.move(name, SLASH, feeds, slash);
  return { start, root, name };
}

type Quoting = { directory: 'plain' | 'special' | 'any'; name: 'plain' | 'special' };

/** The program's path up to its end, where the quotes close. Returns the shape that it starts in. */
function programShapes(builder: GrammarBuilder, end: number, quoting: Quoting): number {
  const start = builder.shape();
  const last = nameShapes(builder, NAME_FEEDS, quoting.name === 'special');
  const close =
    quoting.name === 'special' ? [QUOTE_TEXT, QUOTE_TEXT] : quoting.directory === 'special' ? [QUOTE_TEXT] : [];
  for (const shape of last.ends) builder.move(shape, null, close, end, true);
  // Whether a special byte was seen yet matters where the directory has to hold one.
  const stages = quoting.directory === 'special' ? [false, true] : [true];
  const directories = stages.map(() => ({
    slash: builder.shape(),
    dot: builder.shape(),
    dots: builder.shape(),
    name: builder.shape(),
  }));
  builder.move(start, SLASH, DIRECTORY_FEEDS, directories[0]!.slash);
  const final = directories.at(-1)!;
  if (directories.length === 1) builder.move(start, SLASH, DIRECTORY_FEEDS, last.start);
  for (const stage of directories) {
    const step = (from: number, bytes: Uint8Array): void => builder.move(from, bytes, DIRECTORY_FEEDS, stage.name);
    step(stage.slash, without(PLAIN, DOT));
    builder.move(stage.slash, DOT, DIRECTORY_FEEDS, stage.dot);
    step(stage.dot, without(PLAIN, DOT));
    builder.move(stage.dot, DOT, DIRECTORY_FEEDS, stage.dots);
    step(stage.dots, PLAIN);
    step(stage.name, PLAIN);
    if (quoting.directory !== 'plain') {
      for (const from of [stage.slash, stage.dot, stage.dots, stage.name]) {
        builder.move(from, SPECIAL, DIRECTORY_FEEDS, final.name);
        builder.move(from, QUOTE, [ESCAPED_QUOTE, undefined, 'byte'], final.name);
      }
    }
    builder.move(stage.name, SLASH, DIRECTORY_FEEDS, stage.slash);
    if (stage === final) builder.move(stage.name, SLASH, DIRECTORY_FEEDS, last.start);
  }
  return start;
}

/** A last name; `special` when it has to hold a byte that needs quotes. */
function nameShapes(
  builder: GrammarBuilder,
  feeds: readonly Feed[],
  special: boolean,
): { start: number; ends: number[] } {
  const [start, dot, dots, plain, marked] = Array.from({ length: 5 }, () => builder.shape()) as [
    number,
    number,
    number,
    number,
    number,
  ];
  builder.move(start, DOT, feeds, dot);
  builder.move(start, without(PLAIN, DOT), feeds, plain);
  builder.move(dot, DOT, feeds, dots);
  builder.move(dot, without(PLAIN, DOT), feeds, plain);
  builder.move(dots, PLAIN, feeds, plain);
  builder.move(plain, PLAIN, feeds, plain);
  if (!special) return { start, ends: [plain] };
  for (const from of [start, dot, dots, plain, marked]) {
    builder.move(from, SPECIAL, feeds, marked);
    builder.move(from, QUOTE, [ESCAPED_QUOTE, ESCAPED_QUOTE, 'byte'], marked);
  }
  builder.move(marked, PLAIN, feeds, marked);
  return { start, ends: [marked] };
}

function argumentShapes(builder: GrammarBuilder): { afterProgram: number; complete: number[] } {
  const [afterProgram, blank, word, empty, inside, special, closed] = Array.from({ length: 7 }, () =>
    builder.shape(),
  ) as [number, number, number, number, number, number, number];
  const feeds = ['byte', 'byte'] as const;
  for (const end of [afterProgram, word, closed]) builder.move(end, BLANK, feeds, blank);
  builder.move(blank, WORD_BYTE, feeds, word);
  builder.move(word, WORD_BYTE, feeds, word);
  builder.move(blank, null, [QUOTE_TEXT, QUOTE_TEXT], empty);
  for (const open of [empty, inside, special]) {
    builder.move(open, WORD_BYTE, feeds, open === special ? special : inside);
    builder.move(open, SPECIAL, feeds, special);
    builder.move(open, null, [ESCAPED_QUOTE, ESCAPED_QUOTE], special);
  }
  // Quotes stand around an empty word, and around one that needs them.
  for (const open of [empty, special]) builder.move(open, null, [QUOTE_TEXT, QUOTE_TEXT], closed);
  return { afterProgram, complete: [afterProgram, word, closed] };
}

function setOf(holds: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (holds(byte) ? 1 : 0));
}

function without(set: Uint8Array, other: Uint8Array): Uint8Array {
  return setOf((byte) => set[byte] === 1 && other[byte] === 0);
}

const only = (text: string): Uint8Array => setOf((byte) => byte === text.charCodeAt(0));
const needsQuotes = (byte: number): boolean =>
  byte <= 0x20 || byte === 0x7f || byte === 0x22 || byte === 0x27 || byte === 0x5c;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const SLASH = only('/');
const DOT = only('.');
const BLANK = only(' ');
const QUOTE = only("'");
const NAME_BYTE = setOf((byte) => byte !== 0 && byte !== 0x2f);
/** Bytes of arguments that stand without quotes. */
const WORD_BYTE = setOf((byte) => !needsQuotes(byte));
/** The same in a name. */
const PLAIN = without(WORD_BYTE, SLASH);
/** Bytes that need quotes; the quote itself is fed in another form. */
const SPECIAL = setOf((byte) => byte !== 0 && byte !== 0x27 && needsQuotes(byte));
const QUOTE_TEXT = bytes("'");
const ESCAPED_QUOTE = bytes("'\\''");
const DIRECTORY_FEEDS: readonly (Feed | undefined)[] = ['byte', undefined, 'byte'];
const NAME_FEEDS: readonly Feed[] = ['byte', 'byte', 'byte'];
