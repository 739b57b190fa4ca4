import { AuditLog } from '../adapters/audit-log/audit-log.ts';
import type { Finding } from '../adapters/audit-log/held-checkpoints.ts';
import { verifyWith } from '../adapters/keys/public-key.ts';
import type { SigningKey } from '../adapters/keys/signing-key.ts';
import { writeFileAtomic } from '../adapters/process/atomic-file.ts';
import type { AuditSettings } from '../core/audit/settings.ts';

export type OpenLogOptions = {
  directory: string;
  key: SigningKey;
  settings: AuditSettings;
  version: string;
  now: () => string;
  resumed: () => void;
  checkpointed: (note: string) => void;
  began: () => void;
  holdsLog: () => boolean;
  findings: readonly Finding[];
};

/** The log, with the entry that this daemon writes it from now on, under a checkpoint. */
export async function openLog({
  directory,
  key,
  settings,
  version,
  now,
  resumed,
  ...more
}: OpenLogOptions): Promise<AuditLog> {
  const log = await AuditLog.open({
    directory,
    signer: key,
    verify: verifyWith(key.publicKey),
    now,
    writeAtomic: writeFileAtomic,
    onFailure: settings.onFailure,
    segmentBytes: settings.segmentBytes,
    segmentAgeMs: settings.segmentAgeMs,
    resumed,
    ...more,
  });
  const text = `key ${key.fingerprint}${behind(log.opened)}`;
  await log.append([{ action: 'daemon_start', time: now(), version, pid: process.pid, text }], { mayBeLost: true });
  await log.writeCheckpoint(); // a log without one could have been cut anywhere
  return log;
}

/** A crash leaves them, and so does whoever adds what needs no signature: what is signed from here on covers them, and says so. */
const behind = ({ size, sealed }: AuditLog['opened']) =>
  size > sealed ? `; entries ${sealed + 1} to ${size} were there without a checkpoint` : '';
