type Plain = string | number | boolean;

/**
 * Canonical JSON of a flat record (RFC 8785): members sorted by name, no white space, ECMAScript's own forms of strings and
 * integers. Members that are undefined are left out. Throws RangeError on what has no canonical form.
 */
export function canonical(record: Readonly<Record<string, unknown>>): string {
  const [members] = canonicalParts(record, []);
  return `{${members!.slice(0, -1)}}`;
}

/**
 * The members in their order, each with a comma behind it, in one part more than there are names in `at`: each part ends where a member of that name would
 * stand. `at` is sorted, and none of it is a member's name.
 */
export function canonicalParts(record: Readonly<Record<string, unknown>>, at: readonly string[]): string[] {
  const parts: string[] = [];
  let members = '';
  for (const name of sorted(Object.keys(record))) {
    const value = record[name];
    if (value === undefined) continue;
    if (!isName(name)) throw new RangeError(`${JSON.stringify(name)} cannot be a member's name`);
    if (!isPlain(value)) throw new RangeError(`member ${name} has no canonical form`);
    while (parts.length < at.length && at[parts.length]! < name) {
      parts.push(members);
      members = '';
    }
    members += `"${name}":${typeof value === 'string' ? JSON.stringify(value) : value},`;
  }
  while (parts.length < at.length) {
    parts.push(members);
    members = '';
  }
  parts.push(members);
  return parts;
}

/** Most records are written in the order of their names, and looking is cheaper than sorting. */
function sorted(names: string[]): string[] {
  for (let at = 1; at < names.length; at++) if (names[at - 1]! > names[at]!) return names.sort();
  return names;
}

/**
 * Reads a line that must be canonical; undefined when it is not JSON, and 'other-form' when it is, but not in canonical form. Serialising what
 * was parsed gives the same bytes only if there was no white space, no second member of a name and no other spelling.
 */
export function parseCanonical(line: string): Record<string, unknown> | 'other-form' | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const record = value as Record<string, unknown>;
  let before = '';
  for (const name of Object.keys(record)) {
    if (name <= before || !isName(name) || !isPlain(record[name])) return 'other-form';
    before = name;
  }
  return JSON.stringify(record) === line ? record : 'other-form';
}

function isPlain(value: unknown): value is Plain {
  if (typeof value === 'string') return (value as WellFormedness).isWellFormed();
  return typeof value === 'boolean' || Number.isSafeInteger(value);
}

/** Never an integer: such names are put first by JavaScript, whatever the order in which they were written. */
function isName(name: string): boolean {
  if (seenNames.has(name)) return true;
  const good = NAME.test(name);
  if (good && seenNames.size < MOST_SEEN) seenNames.add(name);
  return good;
}

const NAME = /^[a-z][A-Za-z0-9]*$/;
/** Records have the same few names again and again. */
const seenNames = new Set<string>();
const MOST_SEEN = 256;

/** ES2024, in every Node that runs this. */
type WellFormedness = string & { isWellFormed(): boolean };
