import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { requestControl } from '../../src/adapters/control-client/request.ts';
import { API, type DaemonStatus, type ListRunsResponse } from '../../src/core/contract/control-api.ts';
import { DaemonProcess } from '../support/daemon-process.ts';
import { FakeSupervisor } from '../support/fake-supervisor.ts';
import { decisionFrame, runEndFrame, runStartFrame } from '../support/journal-file.ts';

const running: DaemonProcess[] = [];
const daemon = (home?: string) => {
  const made = new DaemonProcess(home);
  running.push(made);
  return made;
};
afterEach(async () => {
  for (const made of running.splice(0)) await made.end('SIGKILL');
});

const digestBytes = (digest: string) => Buffer.from(digest.replace('sha256:', ''), 'hex');
const status = ({ layout }: DaemonProcess) => requestControl<DaemonStatus>(layout, API.status);

describe('the daemon', () => {
  test('keeps everything of its home closed to others', async () => {
    const { layout } = await daemon().start();
    for (const path of [layout.state, layout.audit, layout.keys, layout.runs, layout.images, layout.runtime]) {
      expect([path, statSync(path).mode & 0o777]).toEqual([path, 0o700]);
    }
    const files = [layout.controlSocket, layout.controlToken, layout.supervisorSocket, layout.daemonLock];
    for (const path of [...files, `${layout.keys}/ed25519.key`, `${layout.audit}/000001.jsonl`]) {
      expect([path, statSync(path).mode & 0o777]).toEqual([path, 0o600]);
    }
  });

  test('is the only one of its home, and a second one says so', async () => {
    const first = await daemon().start();
    const second = daemon(first.home);
    expect((await once(second.spawn(), 'exit'))[0]).toBe(1);
    expect(second.output).toContain(
      `another daemon is running for this user (${first.layout.daemonLock}, pid ${first.process!.pid})`,
    );
    expect((await status(first)).pid).toBe(first.process!.pid);
  });

  test('comes back after kill -9, on sockets and locks that nobody holds', async () => {
    const first = await daemon().start();
    await first.end('SIGKILL');
    const second = await daemon(first.home).start();
    expect((await status(second)).publicKeyFingerprint).toMatch(/^SHA256:/);
    expect(second.receipts('daemon_start')).toHaveLength(2);
  });

  test('refuses a token that is not its own', async () => {
    const made = await daemon().start();
    writeFileSync(made.layout.controlToken, 'other\n');
    await expect(status(made)).rejects.toMatchObject({ code: 'GK_CONTROL_REFUSED' });
  });

  test('ends on request and on SIGTERM, and says so in the log', async () => {
    const made = await daemon().start();
    await requestControl(made.layout, API.shutdown, { body: {} });
    expect((await once(made.process!, 'exit'))[0]).toBe(0);
    await made.start();
    expect(await made.end('SIGTERM')).toBe(0);
    expect(made.receipts('daemon_stop')).toHaveLength(2);
    expect(await made.verify()).toMatchObject({ ok: true, losses: [] });
  });

  test('opens no debugger on SIGUSR1', async () => {
    const made = await daemon().start();
    made.process!.kill('SIGUSR1');
    await sleep(300);
    await status(made);
    expect(made.output).not.toContain('Debugger');
    const inspector = createConnection(9229, '127.0.0.1');
    const [what] = await Promise.race([
      once(inspector, 'connect').then(() => ['connected']),
      once(inspector, 'error').catch((error) => [error.code]),
    ]).catch((error: NodeJS.ErrnoException) => [error.code]);
    inspector.destroy();
    expect(what).toBe('ECONNREFUSED');
  });

  test('survives rubbish on both of its sockets', async () => {
    const made = await daemon().start();
    for (const path of [made.layout.supervisorSocket, made.layout.controlSocket]) {
      for (const bytes of [Buffer.alloc(70_000, 0xff), Buffer.alloc(3), Buffer.from('{"__proto__":1}\r\n\r\n')]) {
        const socket = createConnection(path);
        socket.on('error', () => undefined);
        socket.resume().end(bytes);
        await new Promise((resolve) => socket.once('close', resolve));
      }
    }
    expect((await status(made)).runs).toBe(0);
  });

  test('refuses a policy with a typing error, with its place', async () => {
    const made = daemon();
    mkdirSync(made.layout.config, { recursive: true });
    writeFileSync(made.layout.userPolicy, 'version: 1\nname: mine\npolicies:\n  - action: file_read\n    ruels: []\n', {
      mode: 0o600,
    });
    await made.start();
    await expect(made.createRun()).rejects.toMatchObject({
      code: 'GK_POLICY_INVALID',
      where: expect.stringContaining('policy.yaml:5:5'),
    });
    expect((await requestControl<ListRunsResponse>(made.layout, API.listRuns)).runs).toEqual([]);
  });

  test('takes a policy that changes on disk to its running runs, and keeps the last good one', async () => {
    const made = daemon();
    mkdirSync(made.layout.config, { recursive: true });
    // Whole at once: what is half written would be a change of its own.
    const policy = (rest: string) => {
      const next = `${made.layout.userPolicy}.next`;
      writeFileSync(next, `version: 1\nname: mine\nextends: [default]\n${rest}`, { mode: 0o600 });
      renameSync(next, made.layout.userPolicy);
    };
    policy('policies: []\n');
    await made.start();
    const created = await made.createRun();
    const supervisor = new FakeSupervisor(created.args);
    await supervisor.connect();
    policy('policies:\n  - action: file_read\n    rules:\n      - { path: "**/*.pem", effect: deny }\n');
    const second = (await supervisor.next('IMAGE')).fields;
    expect(Buffer.from(second.IMAGE_DIGEST!)).not.toEqual(digestBytes(created.policyDigest));
    expect(readFileSync(Buffer.from(second.PATH!).toString()).subarray(0, 7).toString()).toBe('GKIMAGE');
    policy('polices: []\n');
    while ((await status(made)).policyError === undefined) await sleep(20);
    expect((await status(made)).policyError).toContain('polices');
    expect(made.receipts('policy_change')).toMatchObject([{ policyBefore: created.policyDigest }]);
    expect(made.receipts('policy_error')).toHaveLength(1);
  });
});

describe('kill -9 of the daemon', () => {
  test('at any moment loses no journal record and takes none twice', async () => {
    const made = await daemon().start();
    const created = await made.createRun();
    const supervisor = new FakeSupervisor(created.args);
    await supervisor.connect();
    await supervisor.next('WELCOME');
    supervisor.journal((number) => runStartFrame(number, digestBytes(created.policyDigest)));
    const { proxyPort, transparentPort } = await status(made);
    let written = 1;
    for (let round = 0; round < 4; round++) {
      const until = performance.now() + 40 + round * 35;
      while (performance.now() < until) {
        for (let burst = 0; burst < 20; burst++)
          supervisor.journal((number) => decisionFrame(number, `/p/${number}`, burst % 2));
        written += 20;
        supervisor.send('KICK', {});
        await sleep(1);
      }
      await made.end('SIGKILL');
      for (let burst = 0; burst < 20; burst++) supervisor.journal((number) => decisionFrame(number, `/p/${number}`, 1));
      written += 20;
      await made.start();
      await supervisor.connect();
      await supervisor.next('WELCOME');
      expect(await status(made)).toMatchObject({ proxyPort, transparentPort });
    }
    supervisor.journal((number) => runEndFrame(number, 0));
    supervisor.send('ENDED', { STATUS: 0 });
    while (made.receipts('run_end').length === 0) await sleep(20);
    await made.end('SIGTERM');
    const numbers = made.receipts('file_read').map(({ n }) => n);
    expect(numbers).toEqual(Array.from({ length: written - 1 }, (_, at) => at + 2));
    expect(made.receipts('gap')).toEqual([]);
    expect(await made.verify()).toMatchObject({ ok: true });
  });
});
