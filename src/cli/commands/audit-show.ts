import { endOfLog, findEntry, type LogEntry, lastEntries } from '../../adapters/audit-log/entries.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { auditDirectory } from '../audit-directory.ts';
import { wantedEntries } from '../entry-options.ts';
import { accountOf } from '../receipt-account.ts';
import { print, printJson } from '../render/print.ts';
import { receiptPage } from '../render/receipt-page.ts';

export type ShowOptions = { run?: string; log?: string; json?: boolean };

/** Prints what there is to know of one entry: by its number, or the last one, or the last that was refused. */
export async function auditShow(which: string, { run, log, json = false }: ShowOptions): Promise<number> {
  if (!CALLED.test(which)) {
    throw new GatekeeperError('GK_USAGE', {
      what: `${which} is no number of an entry`,
      remedy: 'give a number as gatekeeper audit tail shows it, or: last, denied',
    });
  }
  const isNumber = which !== 'last' && which !== 'denied';
  if (isNumber && run !== undefined) {
    throw new GatekeeperError('GK_USAGE', {
      what: `--run chooses among entries, and ${which} is the number of one`,
      remedy: 'leave one of the two out, or: gatekeeper audit show denied --run RUN',
    });
  }
  const directory = auditDirectory(log);
  const entry = isNumber ? findEntry(directory, Number(which)) : latest(directory, which === 'denied', run);
  if (!entry)
    throw new GatekeeperError('GK_AUDIT_ENTRY', {
      what: isNumber
        ? `the audit log has no entry ${which}`
        : `the audit log has no such entry: ${which}${run === undefined ? '' : ` of run ${run}`}`,
    });
  const account = accountOf(directory, entry);
  if (json) printJson({ ...account, line: entry.line });
  else print(receiptPage(account, process.stdout.isTTY ? process.stdout.columns : undefined));
  return 0;
}

function latest(directory: string, denied: boolean, run: string | undefined): LogEntry | undefined {
  const filter = wantedEntries(directory, { denied, ...(run !== undefined && { run }) });
  return lastEntries(directory, filter, 1, endOfLog(directory))[0];
}

const CALLED = /^(?:last|denied|[1-9]\d{0,14})$/;
