import { decideHost, decidePath, type HostRequest, type PathAction } from '../engine/decide.ts';
import type { PolicyImage } from '../engine/image.ts';
import type { Decision } from '../engine/precedence.ts';
import type { ActionName } from '../wire/messages.ts';
import { commandGrammar, pathGrammar } from './grammar.ts';
import { representativeRequests } from './requests.ts';
import {
  commandReader,
  guessingReader,
  MARK,
  type ProgramReader,
  pathReader,
  programReader,
  type Reader,
} from './verdicts.ts';
import { NO_MARK, SEALED_LANE, Walk } from './walk.ts';

/** A request that two policies judge differently. */
export type Witness =
  | { path: Uint8Array }
  /** The canonical text with the program's full path; `writable`: in the eyes of which policy the run could have put the program there. */
  | { command: Uint8Array; writable: { before: boolean; after: boolean } }
  | { request: HostRequest };

export type Difference = { action: ActionName; before: Decision; after: Decision; witness: Witness };

export type Comparison = {
  /** For each action and each change of effect that some request meets, a shortest such request; with `byRule` for each rule that makes it. */
  differences: Difference[];
  /** Actions whose patterns together are too many to walk through; nothing is said of them. */
  incomplete: ActionName[];
};

/** Finds every pair of different verdicts that any request can meet. Computed on the automata, so that none is missed. */
export function compareImages(
  before: PolicyImage,
  after: PolicyImage,
  { most = MOST_NODES, byRule = false } = {},
): Comparison {
  const keyOf = byRule ? ruleKey : pairKey;
  const comparison: Comparison = { differences: [], incomplete: [] };
  if (before.digest !== '' && before.digest === after.digest) return comparison;
  for (const action of PATH_ACTIONS) comparePaths([before, after], new Found(comparison, action, keyOf), action, most);
  compareCommands([before, after], new Found(comparison, 'shell_exec', keyOf), most);
  compareNetwork(before, after, new Found(comparison, 'network', keyOf));
  return comparison;
}

type Images = readonly [PolicyImage, PolicyImage];

function comparePaths([before, after]: Images, found: Found, action: PathAction, most: number): void {
  const readers = [pathReader(before, action), pathReader(after, action)] as const;
  const walk = new Walk(tracksOf(readers), pathGrammar(), NO_MARK, most);
  const complete = walk.run(({ node, accepts }) => {
    found.add(readPair(readers, accepts, 0, 0), () => ({ path: walk.text(node, 0) }));
    return undefined;
  });
  if (!complete) found.giveUp();
}

/**
 * Guesses first which programs the run can write, since the rules for writing are many. What a guess found holds if its witness is as guessed;
 * pairs of effects of which that cannot be said are looked for again with those rules.
 */
function compareCommands(images: Images, found: Found, most: number): void {
  const [before, after] = images;
  const open = new Set<string>();
  const guessed = walkCommands(images, images.map(guessingReader), most, (pair, witness, program) => {
    const key = found.keyOf(pair);
    if (found.has(key)) return undefined;
    const { writable } = witness();
    const isSo = isWritable(before, program()) === writable.before && isWritable(after, program()) === writable.after;
    if (isSo) found.add(pair, witness);
    else open.add(key);
    return undefined;
  });
  for (const key of [...open]) if (found.has(key)) open.delete(key);
  const exact =
    open.size === 0 ||
    walkCommands(images, images.map(programReader), most, (pair, witness) => {
      found.add(pair, witness);
      open.delete(found.keyOf(pair));
      return open.size > 0 ? undefined : false;
    });
  if (!guessed || !exact) found.giveUp();
}

type CommandWitness = Extract<Witness, { command: Uint8Array }>;

function walkCommands(
  [before, after]: Images,
  programs: readonly ProgramReader[],
  most: number,
  visit: (pair: [Decision, Decision], witness: () => CommandWitness, program: () => Uint8Array) => boolean | undefined,
): boolean {
  const readers = [commandReader(before), commandReader(after)] as const;
  const [one, other] = programs as [ProgramReader, ProgramReader];
  const first = readers[0].tracks.length + readers[1].tracks.length;
  const second = first + one.tracks.length;
  const seal = (accepts: Int32Array): number[] =>
    one.marks(accepts, first).flatMap((mark) => other.marks(accepts, second).map((next) => mark | (next << MARK_BITS)));
  const walk = new Walk([...tracksOf(readers), ...one.tracks, ...other.tracks], commandGrammar(), seal, most);
  return walk.run(({ node, accepts, mark }) => {
    const marks = [mark & (2 ** MARK_BITS - 1), mark >> MARK_BITS] as const;
    const pair = readPair(readers, accepts, ...marks);
    if (pair[0].effect === pair[1].effect) return undefined;
    const writable = { before: (marks[0] & MARK.writable) !== 0, after: (marks[1] & MARK.writable) !== 0 };
    return visit(
      pair,
      () => ({ command: walk.text(node, 0), writable }),
      () => walk.text(node, SEALED_LANE),
    );
  });
}

const isWritable = (image: PolicyImage, program: Uint8Array): boolean =>
  decidePath(image, 'file_write', program).effect === 'allow';

function compareNetwork(before: PolicyImage, after: PolicyImage, found: Found): void {
  const requests = representativeRequests([before, after]);
  if (!requests) found.giveUp();
  for (const request of requests ?? []) {
    found.add([decideHost(before, request), decideHost(after, request)], () => ({ request }));
  }
}

/** Keeps the first witness of each kind of change. */
class Found {
  readonly keyOf: KeyOf;
  readonly #into: Comparison;
  readonly #action: ActionName;
  readonly #kinds = new Set<string>();

  constructor(into: Comparison, action: ActionName, keyOf: KeyOf) {
    this.#into = into;
    this.#action = action;
    this.keyOf = keyOf;
  }

  has(key: string): boolean {
    return this.#kinds.has(key);
  }

  add(pair: readonly [Decision, Decision], witness: () => Witness): void {
    const [before, after] = pair;
    const key = this.keyOf(pair);
    if (before.effect === after.effect || this.#kinds.has(key)) return;
    this.#kinds.add(key);
    this.#into.differences.push({ action: this.#action, before, after, witness: witness() });
  }

  giveUp(): void {
    this.#into.incomplete.push(this.#action);
  }
}

type KeyOf = (pair: readonly [Decision, Decision]) => string;
const pairKey: KeyOf = ([before, after]) => `${before.effect} ${after.effect}`;
const ruleKey: KeyOf = (pair) => `${pairKey(pair)} ${pair[1].rule}`;

function tracksOf([one, other]: readonly [Reader, Reader]): Reader['tracks'] {
  return [...one.tracks, ...other.tracks];
}

function readPair(
  [one, other]: readonly [Reader, Reader],
  accepts: Int32Array,
  markOne: number,
  markOther: number,
): [Decision, Decision] {
  return [one.read(accepts, 0, markOne), other.read(accepts, one.tracks.length, markOther)];
}

const PATH_ACTIONS = ['file_read', 'file_write', 'file_delete', 'unix_socket'] as const;
const MARK_BITS = 2;
/** Some seconds, and a few hundred megabytes. */
export const MOST_NODES = 2_000_000;
