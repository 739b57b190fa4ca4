import type { DaemonStatus } from '../../core/contract/control-api.ts';
import { visible } from '../../core/text/visible.ts';

type AuditStatus = Pick<DaemonStatus, 'auditError' | 'auditOnFailure' | 'unrecorded'> & {
  auditRemedy?: string | undefined;
};

/** One line about a log that cannot be written: why, what that means, and how to mend it. Undefined while it can. */
export function auditTrouble(status: AuditStatus): string | undefined {
  if (status.auditError === undefined) return undefined;
  const meaning =
    status.auditOnFailure === 'degrade'
      ? `runs go on, ${status.unrecorded ?? 0} receipts are missing so far`
      : 'nothing that needs a receipt is allowed';
  const remedy = status.auditRemedy === undefined ? '' : `; ${visible(status.auditRemedy)}`;
  return `${visible(status.auditError)}: ${meaning}${remedy}`;
}
