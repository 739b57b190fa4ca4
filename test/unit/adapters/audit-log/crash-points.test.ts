import { copyFileSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { AuditLog } from '../../../../src/adapters/audit-log/audit-log.ts';
import { keyOfLog } from '../../../../src/adapters/audit-log/key-of-log.ts';
import { readRecords } from '../../../../src/adapters/audit-log/read.ts';
import { Retention } from '../../../../src/adapters/audit-log/retention.ts';
import { verifyLog } from '../../../../src/adapters/audit-log/verify-log.ts';
import { verifyKey, verifyWith } from '../../../../src/adapters/keys/public-key.ts';
import { openSigningKey } from '../../../../src/adapters/keys/signing-key.ts';
import { denied } from '../../../support/audit-chain.ts';
import { auditLogFixture } from '../../../support/audit-log-fixture.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

/** A copy of the directory as a crash at that moment leaves it, and how many entries had been promised by then. */
type Moment = { name: string; directory: string; promised: number };

/** Lives through rotations, a change of the key and a pruning, with a crash before and after each file that is put in place or removed. */
async function liveThrough() {
  const { directory, options } = auditLogFixture();
  const fresh = openSigningKey(temporaryDirectory());
  const moments: Moment[] = [];
  let promised = 0;
  let signedFor = false;
  const crash = (name: string) => {
    if (!signedFor) return; // a log without any checkpoint could have been cut, and is said to be
    const copy = temporaryDirectory();
    mkdirSync(copy, { recursive: true });
    for (const file of readdirSync(directory))
      if (/^\d+\.jsonl$|^checkpoint$/.test(file)) copyFileSync(`${directory}/${file}`, `${copy}/${file}`);
    moments.push({ name: `${moments.length} ${name}`, directory: copy, promised });
  };
  const writeAtomic: typeof options.writeAtomic = (path, content) => {
    crash('before a checkpoint');
    options.writeAtomic(path, content);
    crash('behind a checkpoint');
  };
  const log = await AuditLog.open({ ...options, segmentBytes: 2000, writeAtomic, began: () => crash('a file began') });
  const append = async (name: string) => {
    promised = (await log.append([denied(`/${name}`)])).seq;
  };
  await append('first');
  await log.writeCheckpoint();
  signedFor = true;
  for (let at = 0; at < 8; at++) await append(`old/${at}`);
  await log.writeCheckpoint();
  promised = (await log.changeKey(fresh)).seq;
  for (let at = 0; at < 8; at++) await append(`fresh/${at}`);
  const retention = new Retention({
    ...{ directory, log, keep: { keepBytes: 4000 }, now: options.now },
    anchored: async () => true,
    neededFrom: () => Number.POSITIVE_INFINITY,
    unlink: (path) => {
      crash('before a removal');
      unlinkSync(path);
    },
  });
  expect(await retention.run()).toBeGreaterThan(1);
  await append('last');
  await log.close();
  crash('closed');
  return { options, fresh, moments };
}

describe('a crash', () => {
  test('at any moment at which a file is put in place or removed loses nothing that was promised', async () => {
    const { options, fresh, moments } = await liveThrough();
    const kinds = new Set(moments.map(({ name }) => name.replace(/^\d+ /, '')));
    expect(kinds.size).toBe(5);
    const both = [options.signer, fresh];
    const known = (key: Uint8Array) => Buffer.from(key).toString('base64');
    for (const { name, directory, promised } of moments) {
      const signer = both.find(({ publicKey }) => known(publicKey) === keyOfLog(directory))!;
      const log = await AuditLog.open({ ...options, directory, signer, verify: verifyWith(signer.publicKey) });
      expect(log.opened.findings, name).toEqual([]);
      await log.append([denied('/again')]);
      await log.close();
      const seqs = [...readRecords(directory)].flat().map(({ seq }) => seq);
      expect(seqs.at(-1), name).toBeGreaterThan(promised);
      expect(await verifyLog(directory, verifyKey(signer.publicKey)), name).toMatchObject({ ok: true, problems: [] });
    }
  });
});
