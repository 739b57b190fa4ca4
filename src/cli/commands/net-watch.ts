import { followRecords, readRecords, tailRecords } from '../../adapters/audit-log/read.ts';
import { isNetReceipt, NetActivity } from '../../core/analysis/net-activity.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { auditDirectory } from '../audit-directory.ts';
import { LiveScreen } from '../render/live-screen.ts';
import { activityLines } from '../render/net-activity.ts';
import { print, printJsonLine } from '../render/print.ts';
import { receiptLine } from '../render/receipt.ts';
import { findLoggedRun } from '../run-in-log.ts';

export type WatchOptions = { run?: string; json?: boolean };
/** Something that receipts are shown on. */
type View = { show(record: AuditRecord): void; settle(): void };

/** Shows what runs try to reach, from the audit log. Ends, with 0, when it is interrupted, and with the run when one was named. */
export async function netWatch({ run, json = false }: WatchOptions): Promise<number> {
  const directory = auditDirectory();
  const seen = tailRecords(directory, 1).at(-1)?.seq ?? 0;
  const table = process.stdout.isTTY === true && !json && process.env['TERM'] !== 'dumb';
  const found = run === undefined ? undefined : findLoggedRun(run, isNetReceipt);
  const activity = new NetActivity();
  if (table && !found) replayCurrent(directory, seen, activity);
  const view = table ? liveTable(activity) : lines(json);
  for (const record of found?.records ?? []) if (record.seq <= seen) view.show(record);
  view.settle();
  const end = new AbortController();
  const stop = (): void => end.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const redraw = table ? setInterval(() => view.settle(), REDRAW_MS) : undefined;
  try {
    if (found?.ended) stop();
    for await (const record of followRecords(directory, seen, end.signal)) {
      if (found && record.run !== found.id) continue;
      view.show(record);
      // The ends of connections may come a moment after that of the run.
      if (found && isEnd(record)) setTimeout(stop, LINGER_MS);
    }
  } finally {
    clearInterval(redraw);
    view.settle();
  }
  return 0;
}

/** What the runs that still go on have done so far. */
function replayCurrent(directory: string, seen: number, activity: NetActivity): void {
  for (const records of readRecords(directory)) {
    for (const record of records) {
      if (record.seq > seen) return;
      if (isEnd(record) && record.run !== undefined) activity.forget(record.run);
      else activity.take(record);
    }
  }
}

function lines(json: boolean): View {
  const write = (record: AuditRecord): void => (json ? printJsonLine(record) : print(receiptLine(record)));
  return { show: (record) => (isNetReceipt(record) ? write(record) : undefined), settle: () => undefined };
}

function liveTable(activity: NetActivity): View {
  const screen = new LiveScreen();
  let stale = true;
  const touch = (): void => {
    stale = true;
  };
  process.stdout.on('resize', touch);
  return {
    show: (record) => {
      if (activity.take(record)) touch();
    },
    settle: () => {
      if (stale) screen.draw(activityLines(activity.rows(), screen.size));
      stale = false;
    },
  };
}

const isEnd = ({ action }: AuditRecord): boolean => action === 'run_end' || action === 'run_lost';
const REDRAW_MS = 200;
const LINGER_MS = 500;
