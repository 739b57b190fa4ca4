import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { writeBundle } from '../../../../src/adapters/audit-log/bundle.ts';
import { readBundleNotes } from '../../../../src/adapters/audit-log/bundle-notes.ts';
import { isSignedByKey, proveEntry, proveGrowth } from '../../../../src/adapters/audit-log/prove.ts';
import { treeHasher } from '../../../../src/adapters/audit-log/tree-hasher.ts';
import { verifyLog } from '../../../../src/adapters/audit-log/verify-log.ts';
import { verifyKey } from '../../../../src/adapters/keys/public-key.ts';
import { openSigningKey } from '../../../../src/adapters/keys/signing-key.ts';
import { whatIsWrong } from '../../../../src/core/audit/check-proof.ts';
import { parseProof } from '../../../../src/core/audit/proof.ts';
import { allowed, denied } from '../../../support/audit-chain.ts';
import { auditLogFixture } from '../../../support/audit-log-fixture.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

async function severalFiles() {
  const keys = temporaryDirectory();
  const key = openSigningKey(keys);
  const notes: string[] = [];
  const fixture = auditLogFixture(temporaryDirectory(), keys);
  const log = await fixture.open({ segmentBytes: 3000, checkpointed: (note) => notes.push(note) });
  for (let at = 0; at < 20; at++) await log.append([allowed(`/a/${at}`), denied(`/d/${at}`)]);
  return { ...fixture, log, key, notes };
}
function wrong(proof: string, { publicKey }: { publicKey: Uint8Array }): string | undefined {
  const parsed = parseProof(proof);
  if (parsed === undefined) return 'no proof';
  const trusts = (one: string) => Buffer.from(one, 'base64').equals(publicKey);
  return whatIsWrong(parsed, { hasher: treeHasher, isSignedBy: isSignedByKey, trusts });
}

describe('proofs from a log of several files', () => {
  test('hold for every entry, and from every checkpoint that it ever had', async () => {
    const { directory, log, key, notes } = await severalFiles();
    await log.close();
    const { entries } = await verifyLog(directory, verifyKey(key.publicKey));
    for (let seq = 1; seq <= entries; seq++) expect(wrong(proveEntry(directory, seq), key)).toBeUndefined();
    expect(notes.length).toBeGreaterThan(3);
    for (const note of notes) expect(wrong(proveGrowth(directory, note), key)).toBeUndefined();
    for (const seq of [0, entries + 1]) expect(() => proveEntry(directory, seq)).toThrow('of none with number');
  });

  test('hold for entries that are left of a pruned log, and cannot be had for those that are gone', async () => {
    const { directory, log, key, notes } = await severalFiles();
    const gone = readFileSync(`${directory}/000002.jsonl`, 'utf8').trimEnd().split('\n').at(-1)!;
    const last = JSON.parse(gone).seq as number;
    await log.append([{ action: 'pruned', time: '2026-11-21T06:00:00.123Z', segment: 2, last, count: 2 }]);
    await log.close();
    const whole = proveEntry(directory, last + 3);
    for (const name of ['000001', '000002']) rmSync(`${directory}/${name}.jsonl`);
    expect(proveEntry(directory, last + 3)).toBe(whole);
    for (const seq of [last + 1, last + 2]) expect(wrong(proveEntry(directory, seq), key)).toBeUndefined();
    for (const seq of [1, last]) expect(() => proveEntry(directory, seq)).toThrow(`entry ${seq} is gone`);
    expect(wrong(proveGrowth(directory, notes.at(-1)!), key)).toBeUndefined();
    expect(() => proveGrowth(directory, notes[0]!)).toThrow('is gone');
  });

  test('cannot be had from a checkpoint of another log, of another branch, or of the future', async () => {
    const { directory, log, notes } = await severalFiles();
    await log.close();
    const other = await severalFiles();
    await other.log.close();
    expect(() => proveGrowth(directory, other.notes[0]!)).toThrow('the checkpoint is that of');
    expect(() => proveGrowth(directory, 'nonsense')).toThrow('not a checkpoint');
    writeFileSync(`${directory}/checkpoint`, notes[0]!);
    expect(() => proveGrowth(directory, notes.at(-1)!)).toThrow('the kept checkpoint of');
  });
});

describe('a bundle', () => {
  test('holds the log up to its checkpoint while more is written, and what others hold, and verifies', async () => {
    const { directory, log, key, notes } = await severalFiles();
    await log.writeCheckpoint();
    const note = readFileSync(`${directory}/checkpoint`, 'utf8');
    const inTime = [...notes];
    await log.append([allowed('/later'), denied('/later')]);
    await log.writeCheckpoint();
    expect(notes.length).toBeGreaterThan(inTime.length);
    const target = `${temporaryDirectory()}/bundle`;
    const kept = [{ notes: [...notes] }];
    const parts = { directory, note, kept, images: '/nonexistent', files: { 'README.md': 'x\n' } };
    const bundle = await writeBundle(target, parts, async () => expect(readdirSync(target)).toEqual([]));
    await log.close();
    const result = await verifyLog(target, verifyKey(key.publicKey), { kept: readBundleNotes(target) });
    expect(result).toMatchObject({ ok: true, entries: bundle.entries, kept: [{ compared: inTime.length }] });
    expect(result.entries).toBe(Number(note.split('\n')[1]));
    rmSync(`${target}/000001.jsonl`);
    expect((await verifyLog(target, verifyKey(key.publicKey))).ok).toBe(false);
  });

  test('never takes the place of anything, and leaves nothing when it fails', async () => {
    const { directory, log } = await severalFiles();
    await log.close();
    const note = readFileSync(`${directory}/checkpoint`, 'utf8');
    const parts = { directory, note, kept: [], images: '/nonexistent', files: {} };
    const parent = temporaryDirectory();
    mkdirSync(`${parent}/there`);
    await expect(writeBundle(`${parent}/there`, parts, async () => {})).rejects.toMatchObject({ code: 'EEXIST' });
    const failing = async () => Promise.reject(new Error('no'));
    await expect(writeBundle(`${parent}/new`, parts, failing)).rejects.toThrow('no');
    const meanwhile = async () => writeFileSync(`${parent}/taken/mine`, 'x');
    await expect(writeBundle(`${parent}/taken`, parts, meanwhile)).rejects.toThrow('ENOTEMPTY');
    expect(existsSync(`${parent}/taken/mine`)).toBe(true);
    expect(readdirSync(parent).sort()).toEqual(['taken', 'there']);
  });
});
