import type { Dfa } from './dfa.ts';
import { compareBytes, covers, ROOT, SLASH, unique, upToSlash } from './hierarchy.ts';
import { AUTOMATON_KIND } from './image-layout.ts';
import { RefusalProver } from './refusal-proof.ts';
import { RULE_FLAG, type RuleTable } from './rule-table.ts';
import type { Token } from './token.ts';

/**
 * The hierarchies in which a program may be executed, out of those in which something may be read: a hierarchy is left out when every command of every
 * program in it is refused by a rule, on the automata that decide; if that is true of all but some directories in it that an override names,
 * those stand in its place. A refusal by default is none: shells may start all the same, and what an allowed command starts.
 *
 * @param directories those of them that are directories for sure, which nobody executes
 */
export function executionFloor(
  table: RuleTable,
  action: number,
  dfas: readonly Dfa[],
  readable: readonly Uint8Array[],
  directories: readonly Uint8Array[],
): Uint8Array[] {
  const prover = new RefusalProver(table, action, dfas);
  const exceptions = exceptionsOf(table, action);
  const floor: Uint8Array[] = [];
  for (const path of readable) {
    if (NOTHING_TO_EXECUTE.some((place) => covers(place, path))) continue;
    const within = exceptions.filter((exception) => covers(path, exception) && exception.length > path.length);
    const isDirectory = directories.some((directory) => compareBytes(directory, path) === 0);
    const lifted = exceptions.some((exception) => covers(exception, path));
    const kept = lifted || !prover.refusesAllBut(path, within, isDirectory) ? [path] : within;
    floor.push(...kept);
  }
  return unique(floor).sort(compareBytes);
}

/** Where programs lie of which an override speaks: nothing else lifts a refusal. */
function exceptionsOf(table: RuleTable, action: number): Uint8Array[] {
  const places: Uint8Array[] = [];
  for (const { action: own, effect, flags, rows } of table.rules) {
    if (own !== action || effect === 'deny' || (flags & RULE_FLAG.override) === 0) continue;
    for (const { kind, tokens } of rows) {
      if (kind !== AUTOMATON_KIND.commandPath) continue;
      const text = literalStart(tokens);
      if (text[0] === QUOTE) continue; // the same in quotes
      places.push(placeOf(text, tokens));
    }
  }
  return unique(places);
}

/** The program, or the directory that its wildcards lie in. */
function placeOf(text: Uint8Array, tokens: readonly Token[]): Uint8Array {
  if (text[0] !== SLASH) return ROOT;
  const blank = text.indexOf(BLANK);
  if (blank > 0) return text.subarray(0, blank);
  return tokens.every(({ kind }) => kind === 'bytes') ? text : upToSlash(text);
}

function literalStart(tokens: readonly Token[]): Uint8Array {
  const text: number[] = [];
  for (const token of tokens) {
    if (token.kind !== 'bytes') break;
    text.push(...token.bytes);
  }
  return Uint8Array.from(text);
}

const QUOTE = 0x27;
const BLANK = 0x20;
/** Mounted so that nothing in it can be executed, by the kernel itself (SB_I_NOEXEC: fs/proc/root.c, fs/kernfs/mount.c). */
const NOTHING_TO_EXECUTE = ['/proc', '/sys'].map((path) => new TextEncoder().encode(path));
