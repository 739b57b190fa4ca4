import { ACTION } from '../wire/messages.ts';
import { compareBytes, covers, ROOT, unique, upToSlash } from './hierarchy.ts';
import type { RuleEntry, RuleTable } from './rule-table.ts';
import { LAYER } from './source.ts';
import type { Token } from './token.ts';

export const FLOOR_ACCESS = { read: 1, write: 2, execute: 4 } as const;

export type FloorEntry = { path: Uint8Array; access: number };

/**
 * The hierarchies outside which nothing can be allowed, whatever the rules inside say: for every rule that is not a deny the literal directories
 * that its pattern begins with. The kernel's own wall is built from them; it bounds, it does not decide. A grant adds nothing: it answers rules that
 * ask, and those count.
 *
 * @param executable where a program may be executed, out of `readableOf`
 */
export function floorOf(table: RuleTable, executable: readonly Uint8Array[]): FloorEntry[] {
  const wanted = new Map<string, FloorEntry>();
  const add = (path: Uint8Array, access: number): void => {
    const key = path.join();
    const known = wanted.get(key);
    if (known) known.access |= access;
    else wanted.set(key, { path, access });
  };
  for (const [action, access] of ACCESS_OF) {
    if (table.defaults[action]!.effect !== 'deny') add(ROOT, access);
  }
  for (const rule of table.rules) {
    const access = ACCESS_OF.get(rule.action);
    if (access === undefined || rule.effect === 'deny' || table.files[rule.file]!.layer === LAYER.grants) continue;
    for (const path of hierarchies(rule)) add(path, access);
  }
  for (const path of executable) add(path, FLOOR_ACCESS.execute);
  return reduce([...wanted.values()]);
}

/** Of the hierarchies those in which something may be read. */
export function readableOf(table: RuleTable): Uint8Array[] {
  const isReading = ({ action, effect, file }: RuleEntry): boolean =>
    action === ACTION.file_read && effect !== 'deny' && table.files[file]!.layer !== LAYER.grants;
  const byDefault = table.defaults[ACTION.file_read]!.effect === 'deny' ? [] : [ROOT];
  const paths = [...byDefault, ...table.rules.filter(isReading).flatMap(hierarchies)];
  return unique(paths);
}

function hierarchies(rule: RuleEntry): Uint8Array[] {
  return rule.rows.map(({ tokens }) => {
    const prefix = literalPrefix(tokens);
    // What creates or deletes a file needs the directory that it stands in.
    return rule.action === ACTION.file_read || tokens.at(-1)?.kind === 'tail' ? prefix : parentOf(prefix, tokens);
  });
}

/** Complete components before the first wildcard. */
export function literalPrefix(tokens: readonly Token[]): Uint8Array {
  const [first, second] = tokens;
  if (first?.kind !== 'bytes') return ROOT;
  if (!second || second.kind === 'tail' || second.kind === 'globstar') return first.bytes;
  return upToSlash(first.bytes);
}

function parentOf(prefix: Uint8Array, tokens: readonly Token[]): Uint8Array {
  return tokens.length === 1 ? upToSlash(prefix) : prefix;
}

/** Drops what a broader entry covers, and takes off what it grants already. Sorted by bytes. */
function reduce(entries: FloorEntry[]): FloorEntry[] {
  entries.sort((a, b) => compareBytes(a.path, b.path));
  const kept: FloorEntry[] = [];
  for (const { path, access } of entries) {
    let left = access;
    for (const broader of kept) if (covers(broader.path, path)) left &= ~broader.access;
    if (left !== 0) kept.push({ path, access: left });
  }
  return kept;
}

const ACCESS_OF: ReadonlyMap<number, number> = new Map([
  [ACTION.file_read, FLOOR_ACCESS.read],
  [ACTION.file_write, FLOOR_ACCESS.read | FLOOR_ACCESS.write],
  [ACTION.file_delete, FLOOR_ACCESS.read | FLOOR_ACCESS.write],
]);
