import type { Change } from '../../core/replay/changes.ts';
import { MOST_RUNS, subjectOf } from '../../core/replay/changes.ts';
import { UNDECIDABLE } from '../../core/replay/judgement.ts';
import type { Difference, Tally } from '../../core/replay/tally.ts';
import { visible, visibleShort } from '../../core/text/visible.ts';
import { paint, paintVerdict } from './paint.ts';

/** `entry 12  file_read /p/.env` with what is recorded and what is found. */
export function differenceText({ record, found }: Difference): string {
  const { seq, action, verdict, source, rule, reason } = record;
  return [
    `${paint('red', 'differs')}  entry ${seq}  ${visible(action)} ${visibleShort(subjectOf(record))}`,
    `  recorded  ${wordsText({ verdict, source, rule, reason })}`,
    `  decided   ${wordsText(found)}`,
  ].join('\n');
}

export function differenceJson({ record, found }: Difference): unknown {
  const { seq, run, n, action, verdict, source, rule, pierced, reason, policy } = record;
  const { kind: _kind, ...decided } = found;
  return {
    seq,
    run,
    n,
    action,
    subject: subjectOf(record),
    policy,
    recorded: { verdict, source, rule, pierced, reason },
    decided,
  };
}

/** What it came to, for a replay on the recorded images. */
export function tallyText(tally: Tally, strange: number): string {
  const { entries, decisions, agreed, differed, notDecided, agreedBy } = tally;
  const lines = [...tally.missing.values()].map(
    ({ image, why, first, last, entries: count, decisions: of }) =>
      `${paint('red', 'no image')}  ${visible(image)}: ${visible(why)}: ${amount(count, 'entry', 'entries')} (${first} to ${last}), ${amount(of, 'decision')}`,
  );
  if (strange > 0) lines.push(strangeText(strange));
  const head = differed > 0 || lines.length > 0 ? paint('red', 'replayed, NOT all agrees') : paint('green', 'replayed');
  const builtIn = sum(agreedBy);
  lines.push(
    `${head}: ${amount(entries, 'entry', 'entries')}, ${amount(decisions, 'decision')}: ${agreed} agree${builtIn > 0 ? ` (${countsText(agreedBy)} without a rule)` : ''}, ${differed} differ, ${sum(notDecided)} cannot be decided again`,
    ...notDecidedLines(notDecided),
  );
  return lines.join('\n');
}

/** What a candidate would have changed, the most frequent first. */
export function changesText(name: string, changes: readonly Change[], tally: Tally, strange: number): string {
  const lines = changes.flatMap(({ action, before, after, count, runs, examples, seq }) => [
    `${action.padEnd(11)} ${paintVerdict(before.effect)} → ${paintVerdict(after.effect)}  ${amount(count, 'decision')} of ${runs >= MOST_RUNS ? `${runs} runs or more` : amount(runs, 'run')}, first in entry ${seq}`,
    paint('dim', `  before  ${visibleShort(before.rule)}`),
    paint('dim', `  after   ${visibleShort(after.rule)}`),
    ...examples.map((example) => `  ${visibleShort(example)}`),
  ]);
  if (strange > 0) lines.push(strangeText(strange));
  const changed = changes.reduce((total, { count }) => total + count, 0);
  const { decisions, notDecided } = tally;
  lines.push(
    `${paint('bold', visible(name))}: ${changed} of ${amount(decisions, 'recorded decision')} would be another, ${sum(notDecided)} cannot be told`,
    ...notDecidedLines(notDecided),
    paint('dim', 'what was allowed and left no receipt is not seen here: see gatekeeper policy diff'),
  );
  return lines.join('\n');
}

export function tallyJson(tally: Tally, strange: number) {
  const { entries, decisions, agreed, differed } = tally;
  const notDecided = Object.fromEntries(tally.notDecided);
  const agreedBy = Object.fromEntries(tally.agreedBy);
  return {
    entries,
    decisions,
    agreed,
    agreedBy,
    differed,
    notDecided,
    missingImages: [...tally.missing.values()],
    strange,
  };
}

function notDecidedLines(counts: ReadonlyMap<string, number>): string[] {
  const known: Readonly<Record<string, string>> = UNDECIDABLE;
  return sorted(counts).map(([why, count]) => {
    const text = Object.hasOwn(known, why) ? known[why]! : 'decided by more than the policy and what the receipt tells';
    return paint('dim', `  ${String(count).padStart(6)}  ${visible(why)}: ${text}`);
  });
}

function wordsText({
  verdict,
  source,
  rule,
  reason,
}: {
  verdict: string;
  source: string;
  rule?: string | undefined;
  reason?: string | undefined;
}): string {
  return `${paintVerdict(verdict)} by ${visible(rule ?? source)}${rule === undefined || source === 'rule' ? '' : ` (${visible(source)})`}${reason ? `: ${visibleShort(reason)}` : ''}`;
}

const strangeText = (count: number): string =>
  `${paint('red', 'not read')}  ${amount(count, 'line')} that could be decisions and are no entries: see gatekeeper audit verify`;
const countsText = (counts: ReadonlyMap<string, number>): string =>
  sorted(counts)
    .map(([name, count]) => `${visible(name)} ${count}`)
    .join(', ');
const sorted = (counts: ReadonlyMap<string, number>) => [...counts].sort((one, other) => other[1] - one[1]);
const sum = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((total, one) => total + one, 0);
const amount = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
