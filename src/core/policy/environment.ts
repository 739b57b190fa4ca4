/** What one policy file says of the agent's environment. */
export type EnvRule = {
  /** What messages call the file. */
  file: string;
  drop: string[];
  pass: string[];
  /** Places in the list of the files whose `drop` its `pass` takes out of play. */
  pierces: number[];
};

/** Which of these variables the agent does not get, and which file says so. `drop` looks past upper and lower case, `pass` does not. */
export function withheldVariables(rules: readonly EnvRule[], names: readonly string[]): { name: string; by: string }[] {
  // Once for all names: every run does this before its command starts.
  const prepared = rules.map(({ file, drop, pass, pierces }) => ({
    file,
    pierces,
    drop: namePatterns(drop.map((one) => one.toUpperCase())),
    pass: namePatterns(pass),
  }));
  return names.flatMap((name) => {
    const upper = name.toUpperCase();
    const passing = prepared.flatMap(({ pass, pierces }) => (matchesAny(pass, name) ? pierces : []));
    const by = prepared.find(({ drop }, index) => !passing.includes(index) && matchesAny(drop, upper));
    return by ? [{ name, by: by.file }] : [];
  });
}

type NamePatterns = { plain: ReadonlySet<string>; wild: readonly string[][] };

/** `*` stands for any characters; a pattern with one is kept as the pieces around it. */
function namePatterns(patterns: readonly string[]): NamePatterns {
  return {
    plain: new Set(patterns.filter((one) => !one.includes('*'))),
    wild: patterns.filter((one) => one.includes('*')).map((one) => one.split('*')),
  };
}

function matchesAny({ plain, wild }: NamePatterns, name: string): boolean {
  return plain.has(name) || wild.some((pieces) => piecesMatch(pieces, name));
}

/** Each piece is looked for once, from left to right: no pattern is slow. */
function piecesMatch(pieces: readonly string[], name: string): boolean {
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  let from = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const at = name.indexOf(piece, from);
    if (at < 0) return false;
    from = at + piece.length;
  }
  return from <= name.length - last.length;
}
