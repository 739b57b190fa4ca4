import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AuditLog } from '../../../../src/adapters/audit-log/audit-log.ts';
import { tailRecords } from '../../../../src/adapters/audit-log/read.ts';
import { listSegments, segmentPath } from '../../../../src/adapters/audit-log/segments.ts';
import { openSigningKey } from '../../../../src/adapters/keys/signing-key.ts';
import { allowed, denied } from '../../../support/audit-chain.ts';
import { auditLogFixture } from '../../../support/audit-log-fixture.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const KEPT = 'checkpoint.kept';

async function expectFindings(open: () => Promise<AuditLog>, findings: object[]): Promise<void> {
  const log = await open();
  expect(log.opened.findings).toMatchObject(findings);
  await log.close();
}

describe('a log that is opened after a crash', () => {
  test('between a change of its key and the next checkpoint goes on without a word', async () => {
    const { directory, open } = auditLogFixture();
    const fresh = openSigningKey(temporaryDirectory());
    const log = await open();
    await log.append([denied('/a')]);
    await log.writeCheckpoint();
    copyFileSync(`${directory}/checkpoint`, `${directory}/${KEPT}`);
    await log.changeKey(fresh);
    await log.close();
    copyFileSync(`${directory}/${KEPT}`, `${directory}/checkpoint`);
    const again = await open({ signer: fresh, verify: () => false });
    expect(again.opened.findings).toEqual([]);
    await again.close();
  });

  test('with more entries than its checkpoint tells of has to have those up to there', async () => {
    const { directory, open } = auditLogFixture();
    const log = await open();
    await log.append([allowed('/a'), allowed('/b')]);
    await log.writeCheckpoint();
    copyFileSync(`${directory}/checkpoint`, `${directory}/${KEPT}`);
    await log.append([allowed('/c'), denied('/d')]);
    await log.close();
    copyFileSync(`${directory}/${KEPT}`, `${directory}/checkpoint`);
    await expectFindings(open, []);
    // The entry is another one, the last line is as it was.
    const file = segmentPath(directory, 1);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"/b"', '"/x"'));
    copyFileSync(`${directory}/${KEPT}`, `${directory}/checkpoint`);
    await expectFindings(open, [{ kind: 'checkpoint-differs' }]);
    expect(tailRecords(directory, 1)).toMatchObject([{ action: 'recovered', kind: 'checkpoint-differs' }]);
  });

  test('at every byte of the entries that begin a file loses nothing that was before it', async () => {
    const { directory, open, verify } = auditLogFixture();
    const log = await open({ segmentBytes: 500 });
    await log.append([denied('/a')]);
    await log.writeCheckpoint();
    copyFileSync(`${directory}/checkpoint`, `${directory}/${KEPT}`);
    await log.append([denied('/b')]); // begins the second file
    await log.close();
    expect(listSegments(directory)).toEqual([1, 2]);
    const [first, second] = [1, 2].map((segment) => readFileSync(segmentPath(directory, segment)));
    const begun = second!.indexOf('\n') + 1;
    for (const size of [0, 1, 99, begun - 1, begun, begun + 1, second!.length - 1]) {
      writeFileSync(segmentPath(directory, 1), first!);
      writeFileSync(segmentPath(directory, 2), second!.subarray(0, size));
      copyFileSync(`${directory}/${KEPT}`, `${directory}/checkpoint`);
      const again = await auditLogFixture(directory).open();
      await again.append([denied('/c')]);
      await again.close();
      expect(await verify(), `${size}`).toMatchObject({ ok: true, problems: [] });
      expect(tailRecords(directory, 100).slice(0, 2), `${size}`).toMatchObject([{ seq: 1 }, { target: '/a' }]);
    }
  });
});
