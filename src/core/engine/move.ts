import { RULE_FLAG } from '../policy/rule-table.ts';
import { EFFECT } from '../wire/messages.ts';
import type { Automaton } from './automaton.ts';
import { acceptSet, decidePath } from './decide.ts';
import { isGrant } from './grants.ts';
import type { PolicyImage } from './image.ts';
import { resolve } from './precedence.ts';

type MovedAction = 'file_read' | 'file_write' | 'file_delete';

/** Whether moving `source` to `destination` (both canonical) would judge some name at or beneath it less strictly than before. */
export function moveLoosens(image: PolicyImage, source: Uint8Array, destination: Uint8Array): boolean {
  return MOVED_ACTIONS.some((action) => loosens(image, action, source, destination));
}

function loosens(image: PolicyImage, action: MovedAction, source: Uint8Array, destination: Uint8Array): boolean {
  const before = decidePath(image, action, source).effect;
  const after = decidePath(image, action, destination).effect;
  if (EFFECT[after] < EFFECT[before]) return true;
  const automata = image.automata[action];
  return automata.some((automaton) => {
    const from = enter(automaton, source);
    const to = enter(automaton, destination);
    return from !== to && loosensBeneath(image, action, automaton, from, to);
  });
}

/** The state behind the directory's slash; the root is the one directory whose canonical form ends in one. */
function enter(automaton: Automaton, directory: Uint8Array): number {
  const state = automaton.run(automaton.start, directory);
  return directory.at(-1) === SLASH ? state : automaton.step(state, SLASH);
}

/** Walks pairs of states in step. A pair remembers whether the name so far ends in a slash, after which no other can follow. */
function loosensBeneath(
  image: PolicyImage,
  action: MovedAction,
  automaton: Automaton,
  from: number,
  to: number,
): boolean {
  const seen = new Set<string>();
  const open: { from: number; to: number; afterSlash: boolean }[] = [];
  const add = (pair: { from: number; to: number; afterSlash: boolean }): boolean => {
    const key = `${pair.from} ${pair.to} ${pair.afterSlash}`;
    if (seen.has(key)) return true;
    if (seen.size === MOST_PAIRS) return false;
    seen.add(key);
    open.push(pair);
    return true;
  };
  add({ from, to, afterSlash: true });
  for (let pair = open.shift(); pair; pair = open.shift()) {
    for (let byte = 1; byte < 256; byte++) {
      const slash = byte === SLASH;
      const next = { from: automaton.step(pair.from, byte), to: automaton.step(pair.to, byte), afterSlash: slash };
      if (next.from === next.to || (slash && pair.afterSlash)) continue;
      if (!slash && differs(image, action, automaton.accept(next.from), automaton.accept(next.to))) return true;
      if (!add(next)) return true;
    }
  }
  return false;
}

/**
 * Of one automaton among several a set alone says nothing about the verdict, so any difference counts that could change an effect: the
 * rule's number cannot. A grant may end while what was moved stays.
 */
function differs(image: PolicyImage, action: MovedAction, from: number, to: number): boolean {
  if (from === to) return false;
  if ([from, to].some((accept) => acceptSet(image, accept).some((rule) => isGrant(image, rule)))) return true;
  const sets = [from, to].map((accept) => acceptSet(image, accept));
  if (image.automata[action].length > 1) return weight(image, sets[0]!) !== weight(image, sets[1]!);
  const effects = sets.map((set) => EFFECT[resolve(image, action, set).effect]);
  return effects[1]! < effects[0]!;
}

/** Everything about a set of rules that precedence looks at. */
function weight(image: PolicyImage, set: readonly number[]): string {
  const facts = set.map((rule) => {
    const { effect, file, flags } = image.rules[rule]!;
    return [
      `${effect} ${file}`,
      ...(flags & RULE_FLAG.override ? [`${effect} pierces ${image.files[file]!.pierces}`] : []),
    ];
  });
  return [...new Set(facts.flat())].sort().join();
}

const MOVED_ACTIONS = ['file_read', 'file_write', 'file_delete'] as const;
const SLASH = 0x2f;
const MOST_PAIRS = 8192;
