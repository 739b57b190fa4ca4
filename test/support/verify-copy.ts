import { type LogVerification, verifyLog } from '../../src/adapters/audit-log/verify-log.ts';
import { fingerprint } from '../../src/adapters/keys/public-key.ts';

/** What `gatekeeper audit verify` says of a log when a key of that fingerprint is trusted and somebody holds these notes. */
export function verifyCopy(directory: string, pin: string, anchor: readonly string[] = []): Promise<LogVerification> {
  const trusts = (key: Uint8Array) => fingerprint(key) === pin;
  return verifyLog(directory, { trusts }, { kept: [{ holder: 'anchor', notes: anchor }] });
}
