import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { readRecords } from '../../src/adapters/audit-log/read.ts';
import type { AuditFields } from '../../src/core/audit/record.ts';
import { auditLogFixture } from '../support/audit-log-fixture.ts';
import { openSmallDisk, type SmallDisk, smallDiskRefused } from '../support/small-disk.ts';

const open: SmallDisk[] = [];
afterEach(() => {
  for (const disk of open.splice(0)) disk.close();
});

const TIME = '2026-11-21T06:00:00.123Z';
const allow = (run: string): AuditFields => ({
  action: 'network',
  time: TIME,
  run,
  verdict: 'allow',
  target: 'x'.repeat(200),
});
const deny = (run: string): AuditFields => ({ ...allow(run), verdict: 'deny' });
const end = (run: string): AuditFields => ({ action: 'run_end', time: TIME, run, status: 0 });

/** A log on a disk that is full from here on. */
async function logOnFullDisk(onFailure: 'halt' | 'degrade') {
  const disk = await openSmallDisk(1024 * 1024);
  open.push(disk);
  const fixture = auditLogFixture(disk.directory);
  let resumed = (): void => undefined;
  const again = new Promise<void>((done) => {
    resumed = done;
  });
  const log = await fixture.open({ onFailure, retryMs: 10, resumed });
  await log.append([allow('a'), deny('a')]);
  disk.fill();
  // More than the rest of the page that the log's end is in: some of it is written, and undone.
  const tooMuch = Array.from({ length: 100 }, () => deny('a'));
  await expect(log.append(tooMuch)).rejects.toMatchObject({
    code: 'GK_AUDIT_WRITE',
    what: expect.stringContaining('ENOSPC'),
    remedy: expect.stringMatching(/^make room on the file system of .*; it goes on by itself within a second$/),
  });
  const actions = () =>
    [...readRecords(disk.directory)].flat().map(({ action, run = '' }) => `${action} ${run}`.trim());
  return { ...fixture, disk, log, again, actions };
}

describe.skipIf(smallDiskRefused())('a log on a full disk', () => {
  test('says so, signed and under a checkpoint, takes ends of runs and nothing else, and goes on when there is room', async () => {
    const { disk, log, again, actions, verify } = await logOnFullDisk('halt');
    expect(actions()).toEqual(['log_start', 'network a', 'network a', 'halt']);
    expect(await verify()).toMatchObject({ ok: true, entries: 4, checkpoint: { size: 4 } });
    await expect(log.append([allow('a')], { mayBeLost: true })).rejects.toMatchObject({ code: 'GK_AUDIT_WRITE' });
    await log.append([end('a')], { ending: true });
    await expect(log.append([deny('b')])).rejects.toThrow('ENOSPC');
    expect(log.failure?.message).toContain('ENOSPC');
    disk.empty();
    await again;
    expect(log.failure).toBeUndefined();
    expect(readdirSync(disk.directory)).toContain('reserve');
    await log.append([deny('b')]);
    await log.close();
    expect(actions().slice(4)).toEqual(['run_end a', 'resume', 'network b']);
    const [halt, , resume] = [...readRecords(disk.directory)].flat().slice(3);
    expect(halt).toMatchObject({ kind: 'ENOSPC', reason: 'halt', sig: expect.any(String) });
    expect(resume).toMatchObject({ kind: 'ENOSPC', count: expect.any(Number), durationMs: expect.any(Number) });
    expect(await verify()).toMatchObject({ ok: true, entries: 7 });
  });

  test('that degrades counts what is let go, and tells it first of all', async () => {
    const { disk, log, again, actions, verify } = await logOnFullDisk('degrade');
    for (const record of [allow('a'), allow('a'), deny('a'), allow('b')])
      await log.append([record], { mayBeLost: true });
    await expect(log.append([deny('b')]), 'what waits in a journal is not lost').rejects.toThrow('ENOSPC');
    expect(log.unrecorded).toBe(4);
    disk.empty();
    await again;
    expect(log.unrecorded).toBe(0);
    await log.append([deny('b')]);
    await log.close();
    expect(actions().slice(3)).toEqual(['halt', 'resume', 'gap a', 'gap a', 'gap b', 'network b']);
    const gaps = [...readRecords(disk.directory)].flat().filter(({ action }) => action === 'gap');
    expect(gaps.map(({ kind, count, text, sig }) => [kind, count, text, sig !== undefined])).toEqual([
      ['degraded', 2, 'not recorded, verdict allow: network 2', true],
      ['degraded', 1, 'not recorded, verdict deny: network 1', true],
      ['degraded', 1, 'not recorded, verdict allow: network 1', true],
    ]);
    const { ok, losses } = await verify();
    expect({ ok, losses }).toEqual({ ok: true, losses: gaps.map(({ seq }) => seq) });
  });

  test('whose daemon dies meanwhile says that nobody knows how much is missing', async () => {
    const { disk, options, open: openAgain, actions, verify } = await logOnFullDisk('degrade');
    expect(options.directory).toBe(disk.directory); // the writer is left as it is: as a daemon that was killed leaves its log
    disk.empty();
    const next = await openAgain({ onFailure: 'degrade' });
    await next.close();
    expect(actions().slice(3)).toEqual(['halt', 'resume', 'gap']);
    expect((await verify()).ok).toBe(true);
  });

  test('does not begin where it could not say that it is full', async () => {
    const disk = await openSmallDisk(128 * 1024);
    open.push(disk);
    const log = await auditLogFixture(disk.directory).open();
    await expect(log.append([deny('a')])).rejects.toThrow('ENOSPC');
    await log.close();
  });
});

describe('a disk that did not take what it was given', () => {
  test('is not believed when it says nothing the second time: what it had is written once more before anything is signed', async () => {
    const fixture = auditLogFixture();
    const { directory } = fixture;
    execFileSync('gcc', ['-shared', '-fPIC', '-o', `${directory}/disk.so`, support('failing-disk.c'), '-ldl']);
    execFileSync(process.execPath, ['--input-type=module', '-e', WRITER, support('../../dist/'), directory], {
      env: { PATH: process.env['PATH'], LD_PRELOAD: `${directory}/disk.so`, FAIL_SYNC: `${directory}/fail` },
    });
    const records = [...readRecords(directory)].flat();
    expect(records.map(({ action }) => action)).toEqual(['log_start', 'note', 'note', 'halt', 'resume']);
    expect(records[3]).toMatchObject({ kind: 'EIO', reason: 'halt' });
    expect(records[4]?.text).toContain('entries 3 to 4 were written once more, since the disk did not take them');
    expect(await fixture.verify()).toMatchObject({ ok: true, entries: 5, checkpoint: { size: 5 } });
  });
});

const support = (path: string) => fileURLToPath(new URL(`../support/${path}`, import.meta.url));

/** Writes an entry under a checkpoint, and another one that the disk loses. */
const WRITER = `
import { readFileSync, writeFileSync } from 'node:fs';
const [dist, directory] = process.argv.slice(1);
const from = (path) => import(dist + path);
const { AuditLog } = await from('adapters/audit-log/audit-log.js');
const { openSigningKey } = await from('adapters/keys/signing-key.js');
const { verifyWith } = await from('adapters/keys/public-key.js');
const { writeFileAtomic: writeAtomic } = await from('adapters/process/atomic-file.js');
const signer = openSigningKey(directory);
const now = () => new Date().toISOString();
let resumed;
const again = new Promise((done) => { resumed = done; });
const log = await AuditLog.open({ directory, signer, verify: verifyWith(signer.publicKey), now, writeAtomic, retryMs: 5, resumed });
const write = (text) => log.append([{ action: 'note', time: now(), text }]);
await write('kept');
await log.writeCheckpoint();
const before = readFileSync(directory + '/checkpoint', 'utf8');
await write('lost');
writeFileSync(process.env.FAIL_SYNC, '');
await log.writeCheckpoint();
if (readFileSync(directory + '/checkpoint', 'utf8') !== before) throw new Error('signed what the disk did not take');
const alive = setInterval(() => {}, 1000);
await again;
clearInterval(alive);
await log.close();
`;
