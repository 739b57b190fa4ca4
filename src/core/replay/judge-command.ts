import { canonicalCommand } from '../engine/command-text.ts';
import { decideCommand, decidePath } from '../engine/decide.ts';
import type { PolicyImage } from '../engine/image.ts';
import type { Decision } from '../engine/precedence.ts';
import { RULE_FLAG } from '../policy/rule-table.ts';
import { EFFECT } from '../wire/messages.ts';
import { type Judgement, judgementOf, type Undecidable, vouchedBy } from './judgement.ts';
import { bytesOf, type RecordedDecision } from './recorded.ts';
import { baseName, concat, startsWith, withoutFirstWord } from './words.ts';

/** Spawns: every name that the command went by is judged, as the supervisor does it (native-hooks/supervise/spawn_judge.c). */
export function judgeCommand(image: PolicyImage, record: RecordedDecision): Judgement | Undecidable {
  const program = bytesOf(record, 'target');
  if (program === undefined) return { why: 'no-input' };
  const command = bytesOf(record, 'command');
  // The loader that a program names is nobody's command, and no arguments of its own are known.
  if (command === undefined) return judgementOf(image, decideCommand(image, baseName(program), program, true));
  const asked = readCommand(record, program, command);
  if ('why' in asked) return asked;
  const { own, interpreter } = asked;
  const found = decideNames(image, own);
  const named = found.decision.source !== 'default';
  const started = judgementOf(image, found.decision);
  const vouched = !named && (found.launcher || record.byInterpreter);
  const first = vouched ? vouchedBy(found.launcher ? 'launcher' : 'inherited') : started;
  if (interpreter === undefined) return first;
  const { decision } = decideNames(image, interpreter);
  if (decision.source === 'default') return first;
  const second = judgementOf(image, decision);
  return EFFECT[decision.effect] > (vouched ? EFFECT.allow : EFFECT[found.decision.effect]) ? second : first;
}

/** Whether a rule lets this very program start, so that it may be a dynamic loader; undefined where that is not on the receipt. */
export function namesProgram(image: PolicyImage, record: RecordedDecision): boolean | undefined {
  const found = judgeCommand(image, record);
  if ('why' in found) return undefined;
  if (found.effect !== 'allow' || found.index === null) return false;
  return (image.rules[found.index]!.flags & RULE_FLAG.anyProgram) === 0;
}

type Named = {
  program: Uint8Array;
  alias: Uint8Array | undefined;
  /** argv[0]'s name where it is another than theirs; `/` when it is none. */
  called: Uint8Array | undefined;
  /** As in the canonical text, each with a blank before it. */
  args: Uint8Array;
  programMayWrite: bigint;
  aliasMayWrite: bigint;
};

function readCommand(
  record: RecordedDecision,
  program: Uint8Array,
  command: Uint8Array,
): { own: Named; interpreter: Named | undefined } | Undecidable {
  const places = readPlaces(record.mayWrite);
  if (places === undefined) return { why: 'no-input' };
  const [programMayWrite, aliasMayWrite, mayWrite] = places;
  const path = bytesOf(record, 'interpreter');
  const called = bytesOf(record, 'called');
  const between = concat([BLANK, bytesOf(record, 'line') ?? NOTHING]);
  let args = withoutFirstWord(command);
  if (record.byInterpreter) {
    if (!startsWith(args, between)) return { why: 'no-input' };
    args = args.subarray(between.length);
  }
  const own = { program, alias: bytesOf(record, 'alias'), args, programMayWrite, aliasMayWrite };
  if (path === undefined) return { own: { ...own, called }, interpreter: undefined };
  const started = { program: path, alias: undefined, called, args: concat([between, args]) };
  return {
    own: { ...own, called: undefined },
    interpreter: { ...started, programMayWrite: mayWrite, aliasMayWrite: 0n },
  };
}

function decideNames(image: PolicyImage, named: Named): { decision: Decision; launcher: boolean } {
  const { program, alias, called, args } = named;
  const writable = isWritable(image, program, named.programMayWrite);
  const aliasWritable = writable || (alias !== undefined && isWritable(image, alias, named.aliasMayWrite));
  const as = (base: Uint8Array, path: Uint8Array, place: boolean) =>
    decideCommand(image, textOf(base, args), textOf(path, args), place);
  let decision = as(baseName(program), program, writable);
  if (called !== undefined && called[0] !== SLASH) {
    const more = as(called, program, true);
    if (EFFECT[more.effect] > EFFECT.shadow) decision = combine(decision, more);
  }
  if (alias !== undefined) {
    const more = as(baseName(alias), alias, aliasWritable);
    if (called === undefined || EFFECT[more.effect] > EFFECT.shadow) decision = combine(decision, more);
  }
  const launcher =
    (!writable && isLauncher(image, program)) ||
    (alias !== undefined && called === undefined && !aliasWritable && isLauncher(image, alias));
  return { decision, launcher };
}

/** Of two on the same command under two names: a rule goes before the default, the stricter rule before the other. */
function combine(one: Decision, other: Decision): Decision {
  if (other.source === 'default') return one;
  return one.source === 'default' || EFFECT[other.effect] > EFFECT[one.effect] ? other : one;
}

/** Whether the run could put another file there: some name on the way down that the policy and the user's own permissions let it write. */
function isWritable(image: PolicyImage, path: Uint8Array, mayWrite: bigint): boolean {
  if (path[0] !== SLASH) return true;
  if (mayWrite === 0n) return false;
  let bit = 0n;
  for (let end = nextName(path, 0); end > 1 && end <= path.length; end = nextName(path, end)) {
    const may = ((mayWrite >> bit) & 1n) === 1n;
    if (may && decidePath(image, 'file_write', path.subarray(0, end)).effect !== 'deny') return true;
    if (bit < LAST_BIT) bit++;
  }
  return false;
}

/** The length of the next name on the way down; beyond the path's own when there is none. */
function nextName(path: Uint8Array, length: number): number {
  const slash = path.indexOf(SLASH, length + 1);
  return slash >= 0 ? slash : length < path.length ? path.length : path.length + 1;
}

function readPlaces(text: string | undefined): [bigint, bigint, bigint] | undefined {
  if (text === undefined || !PLACES.test(text)) return undefined;
  const [program, alias, interpreter] = text.split(' ').map((hex) => BigInt(`0x${hex}`));
  return [program!, alias!, interpreter!];
}

const isLauncher = (image: PolicyImage, path: Uint8Array): boolean =>
  image.launchers.has(new TextDecoder().decode(baseName(path)));

const textOf = (name: Uint8Array, args: Uint8Array): Uint8Array => concat([canonicalCommand([name]), args]);
const PLACES = /^[0-9a-f]{1,16} [0-9a-f]{1,16} [0-9a-f]{1,16}$/;
const LAST_BIT = 63n;
const SLASH = 0x2f;
const BLANK = Uint8Array.of(0x20);
const NOTHING = new Uint8Array(0);
