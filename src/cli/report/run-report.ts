import type { AuditRecord } from '../../core/audit/record.ts';
import { isRefusal, Tally } from './tally.ts';

/** Everything that a page about one run is made from. */
export type RunReport = {
  id: string;
  name: string;
  /** The entry that made the run, that of its start, and that of its end, as far as they are there. */
  created: AuditRecord | undefined;
  started: AuditRecord | undefined;
  ended: AuditRecord | undefined;
  /** Images in force, in their order, each with the entry that says so first. */
  policies: { digest: string; seq: number; time: string }[];
  /** What the run's supervisor or the daemon noticed, and what is missing of its journal. */
  remarks: AuditRecord[];
  tally: Tally;
  /** Entries to be shown one by one: refusals before all others. */
  shown: AuditRecord[];
  /** How many are not. */
  notShown: number;
};

/** Adds up the entries of one run. */
export class RunReporter {
  readonly #report: RunReport;
  readonly #others: AuditRecord[] = [];
  readonly #refused: AuditRecord[] = [];

  constructor(id: string) {
    const empty = { created: undefined, started: undefined, ended: undefined };
    this.#report = { id, name: id, ...empty, policies: [], remarks: [], tally: new Tally(), shown: [], notShown: 0 };
  }

  add(record: AuditRecord): void {
    const report = this.#report;
    report.tally.add(record);
    if (record.agent !== undefined) report.name = record.agent;
    if (record.action === 'run_create') report.created ??= record;
    else if (record.action === 'run_start') report.started ??= record;
    else if (record.action === 'run_end' || record.action === 'run_lost') report.ended = record;
    else if (REMARKS.has(record.action) && report.remarks.length < MOST_REMARKS) report.remarks.push(record);
    this.#addPolicy(record);
    const list = isRefusal(record) ? this.#refused : this.#others;
    if (list.length < MOST_SHOWN) list.push(record);
  }

  end(): RunReport {
    const report = this.#report;
    const room = Math.max(MOST_SHOWN - this.#refused.length, 0);
    report.shown = [...this.#refused, ...this.#others.slice(0, room)].sort((a, b) => a.seq - b.seq);
    report.notShown = report.tally.entries - report.shown.length;
    return report;
  }

  #addPolicy({ policy, seq, time }: AuditRecord): void {
    const { policies } = this.#report;
    if (policy === undefined || policies.at(-1)?.digest === policy || policies.length >= MOST_REMARKS) return;
    policies.push({ digest: policy, seq, time });
  }
}

const REMARKS = new Set(['note', 'gap', 'damage', 'policy_error', 'policy_change', 'halt', 'resume']);
const MOST_REMARKS = 200;
const MOST_SHOWN = 1500;
