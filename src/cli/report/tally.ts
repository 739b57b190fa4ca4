import type { AuditRecord } from '../../core/audit/record.ts';
import { Counter } from './counter.ts';
import { Timeline } from './timeline.ts';

export type Verdicts = { allow: number; deny: number; 'would-deny': number };
export type Refusal = {
  action: string;
  subject: string;
  verdict: string;
  /** The rule that spoke, or who else did. */
  by: string;
  reason: string;
  program: string;
  count: number;
  /** Of the first one. */
  seq: number;
  time: string;
  until: string;
};
export type Destination = {
  place: string;
  allowed: number;
  refused: number;
  failed: number;
  up: number;
  down: number;
};
export type Program = { path: string; started: number; refused: number; command: string };
export type Voice = { label: string; verdicts: Verdicts };
export type Changed = { action: string; path: string; count: number; result: string };

/** What a part of the log tells, added up entry by entry, in bounded memory. */
export class Tally {
  entries = 0;
  first: AuditRecord | undefined;
  last: AuditRecord | undefined;
  readonly verdicts: Verdicts = none();
  readonly actions = new Counter<{ action: string; verdicts: Verdicts }>();
  readonly refusals = new Counter<Refusal>();
  readonly destinations = new Counter<Destination>();
  readonly programs = new Counter<Program>();
  readonly voices = new Counter<Voice>();
  readonly files = new Counter<Changed>();
  readonly runs = new Counter<{ run: string; name: string; refused: number; entries: number }>();
  readonly timeline = new Timeline();
  /** Allowed calls that then failed. */
  failed = 0;

  add(record: AuditRecord): void {
    this.entries += 1;
    this.first ??= record;
    this.last = record;
    const refused = isRefusal(record);
    const amount = record.count !== undefined && refused ? record.count : 1;
    this.#addRun(record, refused ? amount : 0);
    if (record.verdict !== undefined) this.#addDecision(record, refused, amount);
    else if (record.action === 'connection_closed') this.#addTraffic(record);
    if (record.action === 'result' && record.result !== 'ok') this.failed += 1;
  }

  #addDecision(record: AuditRecord, refused: boolean, amount: number): void {
    const { action, verdict, time } = record;
    const kind = verdict!;
    this.verdicts[kind] += amount;
    const counted = this.actions.at(action, () => ({ action, verdicts: none() }), amount);
    if (counted) counted.verdicts[kind] += amount;
    this.timeline.add(Date.parse(time), refused ? 'refused' : 'allowed', amount);
    const label = voiceOf(record);
    const voice = this.voices.at(label, () => ({ label, verdicts: none() }), amount);
    if (voice) voice.verdicts[kind] += amount;
    if (record.result !== undefined && record.result !== 'ok') this.failed += amount;
    if (refused) this.#addRefusal(record, amount);
    if (action === 'shell_exec') this.#addProgram(record, refused, amount);
    else if (action === 'network') this.#addConnection(record, refused, amount);
    else if (!refused) this.#addFile(record, amount);
  }

  #addRefusal(record: AuditRecord, amount: number): void {
    const { action, seq, time, until = time, reason = '', program = '', verdict = '' } = record;
    const [subject, by] = [subjectOf(record), voiceOf(record)];
    const key = JSON.stringify([action, subject, by, reason, program, verdict]);
    const fresh = () => ({ action, subject, verdict, by, reason, program, count: 0, seq, time, until });
    const found = this.refusals.at(key, fresh, amount);
    if (!found) return;
    found.count += amount;
    found.until = until;
  }

  #addProgram(record: AuditRecord, refused: boolean, amount: number): void {
    const path = record.target ?? record.command ?? '?';
    const fresh = () => ({ path, started: 0, refused: 0, command: record.command ?? '' });
    const found = this.programs.at(path, fresh, amount);
    if (found) found[refused ? 'refused' : 'started'] += amount;
  }

  #addConnection(record: AuditRecord, refused: boolean, amount: number): void {
    const found = this.#destination(record, amount);
    if (found) found[refused ? 'refused' : 'allowed'] += amount;
  }

  #addTraffic(record: AuditRecord): void {
    const found = this.#destination(record, 0);
    if (!found) return;
    found.up += record.bytesUp ?? 0;
    found.down += record.bytesDown ?? 0;
    if (record.result !== undefined && record.result !== 'ok') found.failed += 1;
  }

  #destination(record: AuditRecord, amount: number): Destination | undefined {
    const place = placeOf(record);
    return this.destinations.at(place, () => ({ place, allowed: 0, refused: 0, failed: 0, up: 0, down: 0 }), amount);
  }

  #addFile({ action, target, result = '' }: AuditRecord, amount: number): void {
    if (target === undefined) return;
    const fresh = () => ({ action, path: target, count: 0, result });
    const found = this.files.at(JSON.stringify([action, target, result]), fresh, amount);
    if (found) found.count += amount;
  }

  #addRun({ run, agent }: AuditRecord, refused: number): void {
    if (run === undefined) return;
    const found = this.runs.at(run, () => ({ run, name: agent ?? '', refused: 0, entries: 0 }));
    if (!found) return;
    found.entries += 1;
    found.refused += refused;
  }
}

export const isRefusal = ({ verdict }: AuditRecord): boolean => verdict !== undefined && verdict !== 'allow';
export const refusedOf = (verdicts: Verdicts): number => verdicts.deny + verdicts['would-deny'];
export const sumOf = (verdicts: Verdicts): number => verdicts.allow + refusedOf(verdicts);

/** What was tried, in a word or a line. */
export function subjectOf(record: AuditRecord): string {
  const { action, command, target, target2 } = record;
  if (action === 'shell_exec') return command ?? target ?? '';
  if (action === 'network') return placeOf(record);
  return target2 === undefined ? (target ?? '') : `${target ?? ''} → ${target2}`;
}

/** Requests of one place are one destination, whatever their paths. */
function placeOf({ destination, address, target, port, via }: AuditRecord): string {
  const host = destination ?? address ?? target ?? '?';
  if (port === undefined || via === 'dns') return host;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

const voiceOf = ({ rule, source }: AuditRecord): string => rule ?? source ?? 'unknown';
const none = (): Verdicts => ({ allow: 0, deny: 0, 'would-deny': 0 });
