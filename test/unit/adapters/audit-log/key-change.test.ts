import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AuditLog } from '../../../../src/adapters/audit-log/audit-log.ts';
import { readRecords } from '../../../../src/adapters/audit-log/read.ts';
import { noteKeyId, verifyWith } from '../../../../src/adapters/keys/public-key.ts';
import { openSigningKey } from '../../../../src/adapters/keys/signing-key.ts';
import { recordStatement } from '../../../../src/core/audit/chain.ts';
import { isSignedBy, parseCheckpoint } from '../../../../src/core/audit/checkpoint.ts';
import { keyAfter } from '../../../../src/core/audit/key-change.ts';
import type { AuditRecord } from '../../../../src/core/audit/record.ts';
import { denied } from '../../../support/audit-chain.ts';
import { auditLogFixture } from '../../../support/audit-log-fixture.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const entries = (directory: string): AuditRecord[] => [...readRecords(directory)].flat();
const signedBy = (record: AuditRecord, key: Uint8Array) => verifyWith(key)(recordStatement(record.hash), record.sig!);

/** Whether the checkpoint on the disk is that of the key, and what it tells of. */
function checkpoint(directory: string, key: Uint8Array) {
  const note = parseCheckpoint(readFileSync(`${directory}/checkpoint`, 'utf8'))!;
  return { size: note.size, own: isSignedBy(note, noteKeyId(note.origin, key), verifyWith(key)) };
}

async function logWithKeys() {
  const fixture = auditLogFixture();
  const log: AuditLog = await fixture.open({ segmentBytes: 4000 });
  const [old, fresh] = [fixture.options.signer, openSigningKey(temporaryDirectory())];
  return { ...fixture, log, old, fresh };
}

describe('a change of the key', () => {
  test('takes effect exactly behind its entry, whatever is appended at the same time', async () => {
    const { log, directory, old, fresh } = await logWithKeys();
    const before = Array.from({ length: 5 }, (_, at) => log.append([denied(`/before/${at}`)]));
    const change = log.changeKey(fresh);
    const after = Array.from({ length: 30 }, (_, at) => log.append([denied(`/after/${at}`)]));
    await Promise.all([...before, change, ...after]);
    const { seq } = await change;
    const all = entries(directory);
    expect(seq).toBe(7);
    expect(all.filter((entry) => entry.seq <= seq).every((entry) => signedBy(entry, old.publicKey))).toBe(true);
    expect(all.filter((entry) => entry.seq > seq).every((entry) => signedBy(entry, fresh.publicKey))).toBe(true);
    const began = { log: all[0]!.log!, key: base64(old.publicKey) };
    const verify = (key: string, text: string, sig: string) => verifyWith(Buffer.from(key, 'base64'))(text, sig);
    expect(keyAfter(all[seq - 1]!, began, verify)).toBe(base64(fresh.publicKey));
    await log.append([denied('/in/the/next/file')]);
    const starts = entries(directory).filter(({ action }) => action === 'segment');
    expect(starts.map(({ key }) => key)).toEqual(starts.map(() => base64(fresh.publicKey)));
    expect(starts.length).toBeGreaterThan(0);
    await log.close();
  });

  test('has a checkpoint by the new key when it is done', async () => {
    const { log, directory, old, fresh } = await logWithKeys();
    await log.append([denied('/a')]);
    await log.writeCheckpoint();
    expect(checkpoint(directory, old.publicKey)).toEqual({ size: 2, own: true });
    await log.changeKey(fresh);
    expect(checkpoint(directory, fresh.publicKey)).toEqual({ size: 3, own: true });
    await log.close();
  });

  test('that cannot be written changes nothing', async () => {
    const { open, directory, options, fresh } = await logWithKeys();
    let resumed = () => {};
    const works = new Promise<void>((resolve) => {
      resumed = resolve;
    });
    const log = await open({ retryMs: 5, resumed });
    mkdirSync(`${directory}/000001.jsonl`);
    await expect(log.changeKey(fresh)).rejects.toMatchObject({ code: 'GK_AUDIT_WRITE' });
    rmSync(`${directory}/000001.jsonl`, { recursive: true });
    await works;
    await log.append([denied('/a')]);
    expect(entries(directory).every((entry) => signedBy(entry, options.signer.publicKey))).toBe(true);
    await log.close();
    expect(checkpoint(directory, options.signer.publicKey)).toMatchObject({ own: true });
  });
});
