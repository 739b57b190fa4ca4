import { followRecords, readRecords, tailRecords } from '../../adapters/audit-log/read.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { auditDirectory } from '../audit-directory.ts';
import { print, printJsonLine } from '../render/print.ts';
import { receiptLine } from '../render/receipt.ts';

export type TailOptions = { lines?: number; follow?: boolean; run?: string; denied?: boolean; json?: boolean };

/** Prints the last records that were asked for, and with `follow` those that come, until interrupted. */
export async function auditTail({
  lines = 20,
  follow = false,
  run,
  denied = false,
  json = false,
}: TailOptions): Promise<number> {
  const directory = auditDirectory();
  const wanted = recordFilter(run, denied);
  const show = (record: AuditRecord): void => (json ? printJsonLine(record) : print(receiptLine(record)));
  const last = run || denied ? lastMatching(directory, lines, wanted) : tailRecords(directory, lines);
  const seen = tailRecords(directory, 1).at(-1)?.seq ?? 0;
  for (const record of last) if (record.seq <= seen) show(record);
  if (!follow) return 0;
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  for await (const record of followRecords(directory, seen, interrupted.signal)) if (wanted(record)) show(record);
  return 0;
}

/** A run is meant by its identifier, the beginning of it, or its name, which its records carry as `agent`. */
export function recordFilter(run: string | undefined, denied: boolean): (record: AuditRecord) => boolean {
  return (record) => {
    if (run !== undefined && !record.run?.startsWith(run) && record.agent !== run) return false;
    return !denied || record.verdict === 'deny' || record.verdict === 'would-deny';
  };
}

function lastMatching(directory: string, count: number, wanted: (record: AuditRecord) => boolean): AuditRecord[] {
  let kept: AuditRecord[] = [];
  for (const records of readRecords(directory)) kept = [...kept, ...records.filter(wanted)].slice(-count);
  return count > 0 ? kept : [];
}
