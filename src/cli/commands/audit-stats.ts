import { statSync } from 'node:fs';
import { readRecords } from '../../adapters/audit-log/read.ts';
import { listSegments, segmentPath } from '../../adapters/audit-log/segments.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { visible } from '../../core/text/visible.ts';
import { auditDirectory } from '../audit-directory.ts';
import { bytesText, durationText } from '../render/amounts.ts';
import { paint } from '../render/paint.ts';
import { print, printJson } from '../render/print.ts';
import { table } from '../render/table.ts';
import { refusedOf, Tally } from '../report/tally.ts';
import { recordFilter } from './audit-tail.ts';

export type StatsOptions = { run?: string; top?: number; log?: string; json?: boolean };

/** Figures about the log, or what a run left in it: how much there is, what was allowed and refused, by whom and where. */
export async function auditStats({ run, top = 5, log, json = false }: StatsOptions): Promise<number> {
  const directory = auditDirectory(log);
  const wanted = recordFilter(run, false);
  const tally = new Tally();
  for (const records of readRecords(directory)) for (const record of records) if (wanted(record)) tally.add(record);
  const size = sizeOf(directory);
  if (json) printJson(asData(tally, size, top));
  else print(statsText(tally, run === undefined ? size : undefined, top));
  return 0;
}

type Size = { files: number; bytes: number };

function sizeOf(directory: string): Size {
  const segments = listSegments(directory);
  const sizes = segments.map((segment) => statSync(segmentPath(directory, segment), { throwIfNoEntry: false })?.size);
  return { files: segments.length, bytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0) };
}

function statsText(tally: Tally, size: Size | undefined, top: number): string {
  const { entries, first, last, failed } = tally;
  if (!first || !last) return 'the log has no such entries';
  const span = Date.parse(last.time) - Date.parse(first.time);
  const each =
    size &&
    `, ${bytesText(size.bytes)}B in ${size.files === 1 ? 'one file' : `${size.files} files`}, ${Math.round(size.bytes / entries)} bytes an entry`;
  const blocks = [
    `${entries} entries${each ?? ''}\nfrom ${moment(first)} to ${moment(last)}${span > 0 ? ` (${durationText(span)})` : ''}`,
    section('', ['DECISIONS', 'ALLOWED', 'REFUSED'], actionRows(tally)),
    failed > 0 ? `${failed} of what was allowed failed then by itself` : '',
    section(
      'most refused',
      ['TIMES', 'ACTION', 'WHERE', 'BY', 'SINCE ENTRY'],
      tally.refusals
        .largest(({ count }) => count, top)
        .map(({ count, action, subject, by, seq }) => [String(count), action, subject, by, String(seq)]),
    ),
    section(
      'rules',
      ['ALLOWED', 'REFUSED', 'RULE'],
      tally.voices
        .largest(({ verdicts }) => verdicts.allow + refusedOf(verdicts), top)
        .map(({ label, verdicts }) => [amount(verdicts.allow), amount(refusedOf(verdicts)), label]),
    ),
    section(
      'programs',
      ['STARTED', 'REFUSED', 'PROGRAM'],
      tally.programs
        .largest(({ started, refused }) => started + refused, top)
        .map(({ started, refused, path }) => [amount(started), amount(refused), path]),
    ),
    section(
      'destinations',
      ['ALLOWED', 'REFUSED', 'UP', 'DOWN', 'DESTINATION'],
      tally.destinations
        .largest(({ allowed, refused }) => allowed + refused, top)
        .map(({ allowed, refused, up, down, place }) => [
          ...[amount(allowed), amount(refused)],
          ...[bytesText(up), bytesText(down), place],
        ]),
    ),
    section(
      'runs',
      ['ENTRIES', 'REFUSED', 'RUN', 'NAME'],
      tally.runs
        .largest(({ entries: count }) => count, top)
        .map((one) => [String(one.entries), amount(one.refused), one.run, one.name]),
    ),
  ];
  return blocks.filter(Boolean).join('\n\n');
}

function actionRows(tally: Tally): string[][] {
  return tally.actions
    .largest(({ verdicts }) => verdicts.allow + refusedOf(verdicts))
    .map(({ action, verdicts }) => [action, amount(verdicts.allow), amount(refusedOf(verdicts))]);
}

const section = (title: string, headings: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.length === 0 ? '' : `${title && `${paint('bold', title)}\n`}${table(headings, rows, 70)}`;

function asData(tally: Tally, size: Size, top: number) {
  const { entries, first, last, failed, verdicts } = tally;
  return {
    ...{ entries, ...size, from: first?.time, to: last?.time, failed, verdicts },
    actions: tally.actions.largest(() => 0),
    refusals: tally.refusals.largest(({ count }) => count, top),
    rules: tally.voices.largest((voice) => voice.verdicts.allow + refusedOf(voice.verdicts), top),
    programs: tally.programs.largest(({ started, refused }) => started + refused, top),
    destinations: tally.destinations.largest(({ allowed, refused }) => allowed + refused, top),
    runs: tally.runs.largest((run) => run.entries, top),
  };
}

const amount = (count: number): string => (count === 0 ? '' : String(count));
const moment = ({ time }: AuditRecord): string => visible(`${time.slice(0, 19).replace('T', ' ')}Z`);
