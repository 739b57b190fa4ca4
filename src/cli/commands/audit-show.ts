import { findRecord } from '../../adapters/audit-log/read.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { auditDirectory } from '../audit-directory.ts';
import { print, printJson } from '../render/print.ts';
import { receiptText } from '../render/receipt.ts';

/** Prints one record with all its fields. */
export async function auditShow(seq: number, { json = false }: { json?: boolean }): Promise<number> {
  const record = findRecord(auditDirectory(), seq);
  if (!record) throw new GatekeeperError('GK_AUDIT_ENTRY', { what: `the audit log has no entry ${seq}` });
  if (json) printJson(record);
  else print(receiptText(record));
  return 0;
}
