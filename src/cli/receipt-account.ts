import { type LogEntry, readEntries } from '../adapters/audit-log/entries.ts';
import { entryFilter } from '../core/audit/entry-filter.ts';
import type { AuditRecord } from '../core/audit/record.ts';
import { type Proof, proofOf } from './receipt-proof.ts';
import { questionOf, questionText } from './receipt-question.ts';
import { type RuleOfReceipt, ruleOf, wayToAllow } from './receipt-rule.ts';
import { keptImage } from './run-in-log.ts';

/** What can be said of one entry from the log, the kept policy and the public key. */
export type ReceiptAccount = {
  record: AuditRecord;
  run: RunOfReceipt | null;
  rule: RuleOfReceipt | null;
  pierced: RuleOfReceipt | null;
  /** Whether the policy that decided is kept: `kept`, or why it cannot be had. */
  policy: 'kept' | 'is not there' | 'is not what it was' | null;
  /** How a later entry says that the call ended. */
  result: string | null;
  /** How many receipts of the run have the same action and verdict, this one included, and how often that came in all. */
  alike: { receipts: number; times: number };
  proof: Proof;
  /** What would allow it, or why nothing can. */
  toAllow: string | null;
  /** Commands for what one may want to know next. */
  next: string[];
};

export type RunOfReceipt = {
  id: string;
  name: string;
  command: string | null;
  cwd: string | null;
  simulate: boolean;
  enforce: string | null;
};

/** Reads the whole log once, for what else the run has to do with the entry. */
export function accountOf(directory: string, { record, line }: LogEntry): ReceiptAccount {
  const { run, alike, result } = surroundings(directory, record);
  const image = record.policy === undefined ? undefined : keptImage(record.policy);
  const kept = typeof image === 'object' ? image : undefined;
  const question = questionOf(record);
  const refused = record.verdict !== undefined && record.verdict !== 'allow';
  const next = [`gatekeeper audit prove ${record.seq}`];
  if (question) next.unshift(`gatekeeper policy explain ${question.action} ${questionText(question)}`);
  return {
    record,
    run,
    rule: ruleOf(kept, record.rule, record, question, run?.cwd),
    pierced: ruleOf(kept, record.pierced, record, question, run?.cwd),
    policy: image === undefined ? null : typeof image === 'string' ? image : 'kept',
    result: record.result ?? result,
    alike,
    proof: proofOf(directory, record, line),
    toAllow: refused ? (wayToAllow(kept, record, question) ?? null) : null,
    next,
  };
}

function surroundings(directory: string, record: AuditRecord): Pick<ReceiptAccount, 'run' | 'alike' | 'result'> {
  const found: Pick<ReceiptAccount, 'run' | 'alike' | 'result'> = {
    run: null,
    alike: { receipts: 0, times: 0 },
    result: null,
  };
  const id = record.run;
  if (id === undefined) return found;
  const run = {
    id,
    name: record.agent ?? id,
    command: null,
    cwd: null,
    simulate: false,
    enforce: null,
  } as RunOfReceipt;
  for (const { entries } of readEntries(directory, entryFilter({ run: id }))) {
    for (const { record: one } of entries) {
      if (one.run !== id) continue;
      if (one.action === 'run_create' || one.action === 'run_start') describe(run, one);
      if (one.action === 'result' && record.n !== undefined && one.of === record.n) found.result = one.result ?? null;
      if (one.action !== record.action || one.verdict !== record.verdict) continue;
      found.alike.receipts += 1;
      found.alike.times += one.verdict === undefined ? 1 : (one.count ?? 1);
    }
  }
  return { ...found, run };
}

function describe(run: RunOfReceipt, { command, cwd, simulate, enforce }: AuditRecord): void {
  run.command = command ?? run.command;
  run.cwd = cwd ?? run.cwd;
  run.simulate = simulate ?? run.simulate;
  run.enforce = enforce ?? run.enforce;
}
