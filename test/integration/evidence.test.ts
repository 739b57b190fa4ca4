import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { requestControl } from '../../src/adapters/control-client/request.ts';
import { API, type DaemonStatus } from '../../src/core/contract/control-api.ts';
import { DaemonProcess } from '../support/daemon-process.ts';
import { FakeSupervisor } from '../support/fake-supervisor.ts';
import { decisionFrame, runEndFrame, runStartFrame } from '../support/journal-file.ts';

const running: DaemonProcess[] = [];
afterEach(async () => {
  for (const made of running.splice(0)) await made.end('SIGKILL');
});

async function runInProgress() {
  const made = await new DaemonProcess().start();
  running.push(made);
  const created = await made.createRun();
  const supervisor = new FakeSupervisor(created.args);
  await supervisor.connect();
  await supervisor.next('WELCOME');
  const digest = Buffer.from(created.policyDigest.replace('sha256:', ''), 'hex');
  supervisor.journal((number) => runStartFrame(number, digest));
  supervisor.journal((number) => decisionFrame(number, '/p/.env', 1, 0));
  await supervisor.drained();
  return { made, supervisor };
}
const status = ({ layout }: DaemonProcess) => requestControl<DaemonStatus>(layout, API.status);

describe('the log of a run', () => {
  test('verifies with the public key alone while the daemon writes, and after it', async () => {
    const { made, supervisor } = await runInProgress();
    for (let round = 0; round < 10; round++) {
      for (let burst = 0; burst < 50; burst++)
        supervisor.journal((number) => decisionFrame(number, `/p/${number}`, burst % 2));
      supervisor.send('KICK', {});
      expect((await made.verify()).problems).toEqual([]);
    }
    supervisor.journal((number) => runEndFrame(number, 0));
    supervisor.send('ENDED', { STATUS: 0 });
    while (made.receipts('run_end').length === 0) await sleep(10);
    await made.end('SIGTERM');
    const { ok, entries, signatures, checkpoint } = await made.verify();
    expect({ ok, entries: checkpoint?.size === entries, signatures: signatures > 250 }).toEqual({
      ok: true,
      entries: true,
      signatures: true,
    });
  });

  test('names the entry of a byte that was changed', async () => {
    const { made } = await runInProgress();
    await made.end('SIGTERM');
    const file = `${made.layout.audit}/000001.jsonl`;
    const [denied] = made.receipts('file_read');
    writeFileSync(file, readFileSync(file, 'utf8').replace('/p/.env', '/p/.enw'));
    expect((await made.verify()).problems[0]).toMatchObject({ kind: 'wrong-hash', seq: denied!.seq });
  });
});

describe('a log that cannot be written', () => {
  test('holds back what would confirm a record, is told of, and takes everything once it can be written again', async () => {
    const { made, supervisor } = await runInProgress();
    const file = `${made.layout.audit}/000001.jsonl`;
    limitFileSize(made, statSync(file).size + 50); // as any process of this user may do to another
    for (let count = 0; count < 5; count++) supervisor.journal((number) => decisionFrame(number, `/p/${number}`, 1, 0));
    const drained = supervisor.drained().then(() => 'drained');
    while ((await status(made)).auditError === undefined) await sleep(20);
    expect(await status(made)).toMatchObject({
      auditError: expect.stringContaining('EFBIG'),
      auditRemedy: expect.stringContaining('prlimit --fsize'),
      auditOnFailure: 'halt',
    });
    expect(await Promise.race([drained, sleep(500, 'not yet')])).toBe('not yet');
    await expect(made.createRun()).rejects.toMatchObject({ code: 'GK_AUDIT_WRITE' });
    limitFileSize(made, 'unlimited');
    expect(await drained).toBe('drained');
    expect((await status(made)).auditError).toBeUndefined();
    expect(made.receipts('file_read').map(({ n }) => n)).toEqual([2, 3, 4, 5, 6, 7]);
    expect(made.receipts('resume')).toMatchObject([{ kind: 'EFBIG', reason: 'halt' }]);
    await made.end('SIGTERM');
    expect(await made.verify()).toMatchObject({ ok: true, losses: [] });
  });
});

describe('a log that cannot be written and degrades', () => {
  test('lets runs start, says so to each, and tells what it did not record before anything else', async () => {
    const made = new DaemonProcess();
    running.push(made);
    mkdirSync(made.layout.config, { recursive: true });
    writeFileSync(made.layout.auditSettings, 'version: 1\nonFailure: degrade\n');
    await made.start();
    const file = `${made.layout.audit}/000001.jsonl`;
    const { size } = statSync(file);
    appendFileSync(file, 'somebody else was here'); // whoever finds that does not write behind it
    await made.createRun();
    const { id, args, warnings } = await made.createRun();
    expect(args).toContain('--degrade');
    expect(warnings).toEqual([
      expect.stringContaining('warning: onFailure is degrade'),
      expect.stringMatching(
        /the audit log cannot be written: .*changed by someone else.*: this run is not recorded until it can/,
      ),
    ]);
    expect(await status(made)).toMatchObject({ auditOnFailure: 'degrade', unrecorded: 2 });
    truncateSync(file, size);
    while ((await status(made)).auditError !== undefined) await sleep(20);
    expect(made.receipts('gap')).toMatchObject([
      { kind: 'degraded', count: 1, text: 'not recorded, without a verdict: run_create 1' },
      { run: id, kind: 'degraded', count: 1 },
    ]);
    await made.end('SIGTERM');
    expect(await made.verify()).toMatchObject({ ok: true, losses: made.receipts('gap').map(({ seq }) => seq) });
  });
});

function limitFileSize(made: DaemonProcess, bytes: number | 'unlimited'): void {
  const done = spawnSync('prlimit', ['--pid', String(made.process!.pid), `--fsize=${bytes}:unlimited`]);
  expect(done.status, done.stderr?.toString()).toBe(0);
}
