import { appendFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readRecords } from '../../../src/adapters/audit-log/read.ts';
import { segmentPath } from '../../../src/adapters/audit-log/segments.ts';
import { openSigningKey } from '../../../src/adapters/keys/signing-key.ts';
import { sealRecord } from '../../../src/core/audit/chain.ts';
import { defaultAuditSettings } from '../../../src/core/audit/settings.ts';
import { openLog } from '../../../src/daemon/open-log.ts';
import { allowed, hash } from '../../support/audit-chain.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('a daemon that finds entries behind the last checkpoint says which, since nobody may have signed for them', async () => {
  const [directory, key] = [temporaryDirectory(), openSigningKey(temporaryDirectory())];
  const nothing = () => {};
  const open = () =>
    openLog({
      ...{ directory, key, settings: defaultAuditSettings(), version: '1', now: () => new Date().toISOString() },
      ...{ resumed: nothing, checkpointed: nothing, began: nothing, holdsLog: () => true, findings: [] },
    });
  const first = await open();
  await first.close();
  const made = sealRecord(allowed('/made/up'), first.head, { hash, sign: () => 'nobody' });
  appendFileSync(segmentPath(directory, 1), `${made.line}\n`);
  for (let start = 0; start < 2; start++) await (await open()).close();
  const starts = [...readRecords(directory)].flat().filter(({ action }) => action === 'daemon_start');
  expect(starts.map(({ text }) => text)).toEqual([
    `key ${key.fingerprint}`,
    `key ${key.fingerprint}; entries 3 to 3 were there without a checkpoint`,
    `key ${key.fingerprint}`,
  ]);
});
