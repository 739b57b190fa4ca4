import type { PolicyImage } from '../engine/image.ts';
import { LAYER } from '../policy/source.ts';
import type { VerdictName } from '../wire/messages.ts';
import { BUILT_IN, OF_CONTENT } from './built-in.ts';
import { judgeCommand } from './judge-command.ts';
import { judgeNetwork } from './judge-network.ts';
import { judgePath } from './judge-path.ts';
import { isUndecidable, type Judgement, type Undecidable } from './judgement.ts';
import { bytesOf, type RecordedDecision } from './recorded.ts';

/** An image, and the clock by which its grants end. */
export type RecordedImage = { image: PolicyImage; clock: { seconds: number } };

/** `simulate`: whether the run softens refusals; undefined when the log does not tell. */
export type RunFacts = { simulate: boolean | undefined };

export type Outcome =
  /** The image says the same. `by`: what decided where that is not the policy. */
  | { kind: 'agrees'; by?: string }
  /** Decided by something that no receipt tells enough of to decide it again, named. */
  | { kind: 'not-decided'; why: string }
  | { kind: 'differs'; verdict: VerdictName; source: string; rule: string | undefined; reason: string | undefined };

/** Decides a recorded decision again, by the image that decided it. */
export function replay(recorded: RecordedImage, record: RecordedDecision, facts: RunFacts): Outcome {
  recorded.clock.seconds = EARLIEST;
  if (isBuiltIn(record)) return replayBuiltIn(recorded.image, record, facts);
  let first: Outcome | undefined;
  for (const seconds of momentsOf(recorded.image)) {
    recorded.clock.seconds = seconds;
    const outcome = compare(judge(recorded.image, record, facts), record, facts);
    if (outcome.kind !== 'differs') return outcome;
    first ??= outcome;
  }
  return first!;
}

/** What the image says of what was asked for. */
export function judge(image: PolicyImage, record: RecordedDecision, facts: RunFacts): Judgement | Undecidable {
  switch (record.action) {
    case 'network':
      return judgeNetwork(image, record, facts.simulate ?? record.verdict === 'would-deny');
    case 'shell_exec':
      return judgeCommand(image, record);
    case 'tool_call':
      return { why: 'no-input' };
    default:
      return judgePath(image, record);
  }
}

/** Whether the receipt says that the policy was not what decided. */
export function isBuiltIn({ source, rule, reason = '', via, action }: RecordedDecision): boolean {
  if (
    source === 'internal' ||
    source === 'inherited' ||
    source === 'typed' ||
    source === 'launcher' ||
    source === 'own'
  )
    return true;
  if (source === 'default') return action === 'network' && via !== undefined && OF_CONTENT.has(reason);
  if (source !== 'protection' || rule !== undefined) return false;
  return via === undefined || reason === 'secret-in-clear';
}

function replayBuiltIn(image: PolicyImage, record: RecordedDecision, facts: RunFacts): Outcome {
  const { source, verdict, reason = '' } = record;
  if (source === 'own') return { kind: 'not-decided', why: 'own' };
  if (source === 'inherited' || source === 'typed' || source === 'launcher') return replayVouched(image, record, facts);
  const found = Object.hasOwn(BUILT_IN, reason) ? BUILT_IN[reason]! : undefined;
  const refusal = refusalOf(
    facts,
    record,
    source === 'default' || (source !== 'internal' && !found?.always) || reason === 'transient',
  );
  const borne = found?.check?.(image, record);
  if (!found || verdict === 'allow' || verdict !== refusal || borne === false)
    return { kind: 'differs', verdict: borne === false ? 'allow' : refusal, source, rule: undefined, reason };
  return borne ? { kind: 'agrees', by: reason } : { kind: 'not-decided', why: reason };
}

/** Where somebody vouches no rule may speak. */
function replayVouched(image: PolicyImage, record: RecordedDecision, facts: RunFacts): Outcome {
  const { source } = record;
  const found = judge(image, { ...record, source: 'default' }, facts);
  if (isUndecidable(found)) return { kind: 'not-decided', why: found.why };
  if (record.verdict === 'allow' && found.rule === undefined) return { kind: 'agrees', by: source };
  return { kind: 'differs', ...wordsOf(found, record, facts) };
}

function compare(found: Judgement | Undecidable, record: RecordedDecision, facts: RunFacts): Outcome {
  if (isUndecidable(found)) return { kind: 'not-decided', why: found.why };
  const said = wordsOf(found, record, facts);
  const { reasons } = found;
  const agrees =
    said.verdict === record.verdict &&
    said.source === record.source &&
    said.rule === record.rule &&
    found.pierced === record.pierced &&
    (reasons.length === 0 ? record.reason === undefined : reasons.includes(record.reason ?? ''));
  if (agrees) return found.byContent ? { kind: 'not-decided', why: found.byContent } : { kind: 'agrees' };
  const lost = lostFrom(record);
  return lost ? { kind: 'not-decided', why: lost } : { kind: 'differs', ...said };
}

function wordsOf(found: Judgement, record: RecordedDecision, facts: RunFacts) {
  const { source, rule, reasons, lifted } = found;
  const verdict: VerdictName = found.effect === 'allow' ? 'allow' : refusalOf(facts, record, lifted);
  return { verdict, source, rule, reason: reasons[0] || undefined };
}

/** What a refusal is called in that run. Where the log does not tell of the run, what the receipt calls it holds. */
function refusalOf({ simulate }: RunFacts, { verdict }: RecordedDecision, lifted: boolean): VerdictName {
  if (!lifted) return 'deny';
  if (simulate === undefined) return verdict === 'would-deny' ? 'would-deny' : 'deny';
  return simulate ? 'would-deny' : 'deny';
}

/** Why a receipt may not hold all that was judged. */
export function lostFrom(record: RecordedDecision): Undecidable['why'] | undefined {
  const { command = '', line = '', path = '' } = record;
  if ([command, line, path].some((text) => text.includes(REDACTED))) return 'redacted';
  if (path.length >= PATH_SHOWN) return 'shortened';
  const shown = command.length * 4 < COMMAND_SHOWN ? undefined : bytesOf(record, 'command');
  return shown !== undefined && shown.length >= COMMAND_SHOWN && command.includes(' ... ') ? 'shortened' : undefined;
}

/** A grant ends by the clock, whatever image is in force, so it may have stood or not. */
function momentsOf(image: PolicyImage): readonly number[] {
  let moments = MOMENTS.get(image);
  if (moments === undefined) {
    const ends = image.rules
      .filter(({ layer, until }) => layer === LAYER.grants && until > 1)
      .map(({ until }) => until);
    moments = [EARLIEST, ...[...new Set(ends)].sort((a, b) => a - b)];
    MOMENTS.set(image, moments);
  }
  return moments;
}

/** Seconds since the machine started: that of a grant that was ended (engine/end-grants.ts), and before all that are standing. */
const EARLIEST = 1;
const MOMENTS = new WeakMap<PolicyImage, readonly number[]>();
/** core/audit/redact.ts; adapters/proxy/receipts.ts; native-hooks/supervise/command_text.h */
const REDACTED = '[redacted]';
const PATH_SHOWN = 1024;
const COMMAND_SHOWN = 4096;
