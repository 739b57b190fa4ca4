import { endOfLog, findEntry, type LogEntry, lastEntries } from '../../adapters/audit-log/entries.ts';
import { entryFilter } from '../../core/audit/entry-filter.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { auditDirectory } from '../audit-directory.ts';
import { accountOf } from '../receipt-account.ts';
import { print, printJson } from '../render/print.ts';
import { receiptPage } from '../render/receipt-page.ts';

export type ShowOptions = { log?: string; json?: boolean };

/** Prints what there is to know of one entry: by its number, or the last one, or the last that was refused. */
export async function auditShow(which: string, { log, json = false }: ShowOptions): Promise<number> {
  if (!CALLED.test(which)) {
    throw new GatekeeperError('GK_USAGE', {
      what: `${which} is no number of an entry`,
      remedy: 'give a number as gatekeeper audit tail shows it, or: last, denied',
    });
  }
  const directory = auditDirectory(log);
  const entry = entryCalled(directory, which);
  if (!entry) throw new GatekeeperError('GK_AUDIT_ENTRY', { what: `the audit log has no entry ${which}` });
  const account = accountOf(directory, entry);
  if (json) printJson({ ...account, line: entry.line });
  else print(receiptPage(account, process.stdout.isTTY ? process.stdout.columns : undefined));
  return 0;
}

function entryCalled(directory: string, which: string): LogEntry | undefined {
  if (which === 'last') return lastEntries(directory, entryFilter({}), 1, endOfLog(directory))[0];
  if (which === 'denied') return lastEntries(directory, entryFilter(REFUSED), 1, endOfLog(directory))[0];
  return findEntry(directory, Number(which));
}

const CALLED = /^(?:last|denied|[1-9]\d{0,14})$/;
const REFUSED = { verdicts: ['deny', 'would-deny'] } as const;
