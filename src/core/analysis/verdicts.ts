import { Automaton } from '../engine/automaton.ts';
import type { PathAction } from '../engine/decide.ts';
import { acceptSet } from '../engine/decide.ts';
import type { PolicyImage } from '../engine/image.ts';
import { type Decision, resolve } from '../engine/precedence.ts';
import { buildAutomata } from '../policy/automata.ts';
import type { Dfa } from '../policy/dfa.ts';
import { encodeAutomaton } from '../policy/encode-automaton.ts';
import { AUTOMATON_KIND } from '../policy/image-layout.ts';
import { RULE_FLAG } from '../policy/rule-table.ts';
import type { Token } from '../policy/token.ts';
import { EFFECT } from '../wire/messages.ts';
import { SEALED_LANE, type Track } from './walk.ts';

/** Reads the verdict of one image off the accept values of a walk in which its tracks stand from `first` on. */
export type Reader = { tracks: readonly Track[]; read(accepts: Int32Array, first: number, mark: number): Decision };

/** Verdicts on paths. */
export function pathReader(image: PolicyImage, action: PathAction): Reader {
  const tracks = image.automata[action].map((automaton) => ({ automaton, lane: 0 }));
  const known = new Map<string, Decision>();
  return {
    tracks,
    read(accepts, first) {
      const own = accepts.subarray(first, first + tracks.length);
      return remember(known, own.join(), () => resolve(image, action, rulesOf(image, own)));
    },
  };
}

/** Verdicts on spawns; the mark says whether the run can write the program, and whether its name is a launcher's. */
export function commandReader(image: PolicyImage): Reader {
  const automata = image.automata.shell_exec;
  const tracks = automata.map((automaton) => ({
    automaton,
    lane: automaton.kind === AUTOMATON_KIND.commandBase ? 1 : 0,
  }));
  const known = new Map<string, Decision>();
  return {
    tracks,
    read(accepts, first, mark) {
      const own = accepts.subarray(first, first + tracks.length);
      return remember(known, `${own.join()} ${mark}`, () => {
        const writable = (mark & MARK.writable) !== 0;
        const rules = automata.flatMap((automaton, index) => {
          const matching = acceptSet(image, own[index]!);
          const bare = automaton.kind === AUTOMATON_KIND.commandBase;
          return bare && writable ? matching.filter((rule) => !vouchesInVain(image, rule)) : matching;
        });
        const decision = resolve(image, 'shell_exec', rules);
        const starts = decision.source === 'default' && !writable && (mark & MARK.launcher) !== 0;
        return starts ? { ...decision, effect: 'allow' } : decision;
      });
    },
  };
}

export const MARK = { writable: 1, launcher: 2 } as const;

/** Tracks that read the program's path alone, and the marks that they give it, from `first` on in the accept values. */
export type ProgramReader = { tracks: readonly Track[]; marks(accepts: Int32Array, first: number): readonly number[] };

/** Exact: whether the run can write the program is what the rules for writing say of its path. */
export function programReader(image: PolicyImage): ProgramReader {
  const writing = pathReader(image, 'file_write');
  const launchers = launcherReader(image);
  const count = writing.tracks.length;
  const sealed = writing.tracks.map(({ automaton }) => ({ automaton, lane: SEALED_LANE }));
  return {
    tracks: [...sealed, ...launchers.tracks],
    marks(accepts, first) {
      const writable = writing.read(accepts, first, 0).effect === 'allow' ? MARK.writable : 0;
      return launchers.marks(accepts, first + count).map((mark) => mark | writable);
    },
  };
}

/** Takes both for possible, the place that the run cannot write first: a small walk, whose findings have to be confirmed. */
export function guessingReader(image: PolicyImage): ProgramReader {
  const { tracks, marks } = launcherReader(image);
  return { tracks, marks: (accepts, first) => marks(accepts, first).flatMap((mark) => [mark, mark | MARK.writable]) };
}

function launcherReader({ launchers }: PolicyImage): ProgramReader {
  const patterns = [...launchers].map((name) => ({
    tokens: [{ kind: 'globstar' as const }, { kind: 'bytes' as const, bytes: new TextEncoder().encode(name) }],
    rule: 0,
  }));
  const automata = patterns.length > 0 ? automataOf(patterns).automata : [];
  return {
    tracks: automata.map((automaton) => ({ automaton, lane: SEALED_LANE })),
    marks: (accepts, first) => [
      accepts.subarray(first, first + automata.length).some((accept) => accept > 0) ? MARK.launcher : 0,
    ],
  };
}

/** Automata of patterns that are in no image; an accept value is the number of a set of `acceptSets`. */
export function automataOf(patterns: readonly { tokens: readonly Token[]; rule: number }[]): {
  automata: Automaton[];
  rules: (automaton: number, accept: number) => readonly number[];
} {
  const most = 1 + Math.max(...patterns.map(({ rule }) => rule));
  const classOf = Int32Array.from({ length: most }, (_, rule) => rule);
  const dfas = buildAutomata(patterns, classOf, most, 64);
  return { automata: dfas.map(fromDfa), rules: (automaton, accept) => dfas[automaton]!.acceptSets[accept]! };
}

function fromDfa(dfa: Dfa): Automaton {
  const encoded = encodeAutomaton(
    dfa,
    dfa.acceptSets.map((_, index) => index),
  );
  return new Automaton(0, 0, encoded.classCount, encoded.start, Uint32Array.from(encoded.words), encoded.classMap);
}

function rulesOf(image: PolicyImage, accepts: Int32Array): number[] {
  return [...accepts].flatMap((accept) => acceptSet(image, accept));
}

function vouchesInVain(image: PolicyImage, rule: number): boolean {
  const { effect, flags } = image.rules[rule]!;
  return EFFECT[effect] <= EFFECT.shadow && (flags & RULE_FLAG.anyProgram) === 0;
}

function remember<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  return made;
}
