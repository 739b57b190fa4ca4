import { lstatSync } from 'node:fs';
import { literalPrefix } from '../../core/policy/floor.ts';
import type { RuleEntry } from '../../core/policy/rule-table.ts';

/**
 * The directory or file that a pattern begins with, when nothing is there on this machine: the pattern matches nothing now. Patterns that float,
 * or that stand in the workspace, say nothing about this machine; null for those, and where something is there.
 */
export function missingPlace({ rows, pattern }: RuleEntry): string | null {
  if (!/^(~|\/|\$\{home\})/.test(pattern)) return null;
  const places = rows.map(({ tokens }) => new TextDecoder().decode(literalPrefix(tokens)));
  const [first] = places;
  return first !== undefined && places.every((place) => place !== '/' && !isThere(place)) ? first : null;
}

function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    // What cannot be looked at may be there.
    const { code } = error as NodeJS.ErrnoException;
    return code !== 'ENOENT' && code !== 'ENOTDIR';
  }
}
