import { AuditLog } from '../../src/adapters/audit-log/audit-log.ts';
import type { AuditLogOptions } from '../../src/adapters/audit-log/log-options.ts';
import { verifyLog } from '../../src/adapters/audit-log/verify-log.ts';
import { verifyKey, verifyWith } from '../../src/adapters/keys/public-key.ts';
import { openSigningKey } from '../../src/adapters/keys/signing-key.ts';
import { writeFileAtomic } from '../../src/adapters/process/atomic-file.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A log of its own in a temporary directory, with the product's own key and hash. */
export function auditLogFixture(directory = temporaryDirectory(), keys = directory) {
  const key = openSigningKey(keys);
  const verify = verifyWith(key.publicKey);
  const trusted = verifyKey(key.publicKey);
  const options: AuditLogOptions = {
    directory,
    signer: key,
    verify,
    now: () => new Date().toISOString(),
    writeAtomic: writeFileAtomic,
  };
  return {
    directory,
    fingerprint: key.fingerprint,
    options,
    open: (more: Partial<AuditLogOptions> = {}) => AuditLog.open({ ...options, ...more }),
    verify: () => verifyLog(directory, trusted),
    kinds: async () => (await verifyLog(directory, trusted)).problems.map(({ seq, kind }) => `${seq} ${kind}`),
  };
}
