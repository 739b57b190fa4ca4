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
  return names.flatMap((name) => {
    const upper = name.toUpperCase();
    const passing = rules.flatMap(({ pass, pierces }) => (pass.some((one) => nameMatches(one, name)) ? pierces : []));
    const by = rules.find(
      ({ drop }, index) => !passing.includes(index) && drop.some((one) => nameMatches(one.toUpperCase(), upper)),
    );
    return by ? [{ name, by: by.file }] : [];
  });
}

/** `*` stands for any characters. Each piece is looked for once, from left to right: no pattern is slow. */
function nameMatches(pattern: string, name: string): boolean {
  const [first = '', ...pieces] = pattern.split('*');
  const last = pieces.pop();
  if (last === undefined) return name === first;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  let from = first.length;
  for (const piece of pieces) {
    const at = name.indexOf(piece, from);
    if (at < 0) return false;
    from = at + piece.length;
  }
  return from <= name.length - last.length;
}
