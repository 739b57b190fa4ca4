import { endOfLog, followEntries, type LogEntry, lastEntries } from '../../adapters/audit-log/entries.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { auditDirectory } from '../audit-directory.ts';
import { type EntryOptions, wantedEntries } from '../entry-options.ts';
import { untilInterrupted } from '../interrupted.ts';
import { print, shownJson } from '../render/print.ts';
import { receiptLine } from '../render/receipt.ts';
import { ReceiptColumns } from '../render/receipt-columns.ts';
import { tellUser } from '../render/tell-user.ts';

export type TailOptions = EntryOptions & {
  lines?: number;
  follow?: boolean;
  utc?: boolean;
  log?: string;
  json?: boolean;
};

/** Prints the last entries that were asked for, and with `follow` those that come, until interrupted. */
export async function auditTail(options: TailOptions): Promise<number> {
  const { follow = false, utc = false, json = false, since } = options;
  const directory = auditDirectory(options.log);
  const filter = wantedEntries(directory, options);
  const lines = options.lines ?? (since === undefined ? DEFAULT_LINES : Number.POSITIVE_INFINITY);
  const end = endOfLog(directory);
  const last = lastEntries(directory, filter, lines, end);
  const show = json ? asLine : asText(last, utc);
  for (const entry of last) show(entry);
  if (!follow) {
    if (last.length === 0 && lines > 0) tellUser('gatekeeper: the log has no such entries');
    return 0;
  }
  for await (const { entries } of followEntries(directory, filter, end, untilInterrupted())) entries.forEach(show);
  return 0;
}

/** As it stands in the log: canonical JSON, in which control characters are escaped. */
const asLine = ({ line }: LogEntry): void => print(shownJson(line));

/** Columns on a terminal; elsewhere lines of one form whatever else there is, in UTC. */
function asText(first: readonly LogEntry[], utc: boolean): (entry: LogEntry) => void {
  if (process.stdout.isTTY !== true) return ({ record }) => print(receiptLine(record));
  const columns = new ReceiptColumns({ utc, now: new Date() }).measure(first.map(({ record }) => record));
  return ({ record }) => print(columns.line(record, process.stdout.columns || 80));
}

/** A run is meant by its identifier, the beginning of it, or its name, which its records carry as `agent`. */
export function recordFilter(run: string | undefined, denied: boolean): (record: AuditRecord) => boolean {
  return (record) => {
    if (run !== undefined && !record.run?.startsWith(run) && record.agent !== run) return false;
    return !denied || record.verdict === 'deny' || record.verdict === 'would-deny';
  };
}

const DEFAULT_LINES = 20;
