import { readRecords } from '../adapters/audit-log/read.ts';
import { applyReceipt } from './journal-drain.ts';
import { newRun, type Run } from './run.ts';
import { isOver } from './run-record.ts';
import type { RunStore } from './run-store.ts';

/**
 * The runs of an earlier daemon, as far as the chain knows them. What was written down beside the journals may be behind the
 * chain, never ahead of it: everything since is read again, so that no journal record is taken twice.
 */
export function recoverRuns(store: RunStore, auditDirectory: string): Map<string, Run> {
  const records = store.load();
  const runs = new Map(records.map((record) => [record.id, newRun(record)]));
  const from = Math.min(...records.map(({ auditSeq }) => auditSeq)) + 1;
  if (runs.size > 0) {
    for (const batch of readRecords(auditDirectory, from)) {
      for (const receipt of batch) {
        const run = receipt.run === undefined ? undefined : runs.get(receipt.run);
        if (run === undefined || receipt.seq <= run.record.auditSeq) continue;
        applyReceipt(run, receipt);
        run.record.auditSeq = receipt.seq;
        if (receipt.action === 'run_lost') run.record.state = 'lost';
        const told = receipt.through ?? receipt.n;
        if (told === undefined) continue;
        run.record.position = {
          ...run.record.position,
          number: Math.max(run.record.position.number, told),
        };
        run.record.journalPolicy = receipt.policy ?? run.record.journalPolicy;
      }
    }
  }
  for (const [id, run] of runs) {
    if (!isOver(run.record)) continue;
    store.remove(id); // its end is on record; only the tidying was missed
    runs.delete(id);
  }
  return runs;
}
