import { chmodSync, chownSync, copyFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../src/core/audit/record.ts';
import { ordinaryAccount } from '../support/account.ts';
import { DaemonProcess } from '../support/daemon-process.ts';
import { FakeSupervisor } from '../support/fake-supervisor.ts';
import { decisionFrame, resultFrame, runEndFrame, runStartFrame } from '../support/journal-file.ts';
import { inside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';

const POLICY = `version: 1
name: results
extends: [default]
policies:
  - action: file_read
    log: true
    rules: [{ path: "./kept/**", effect: allow }]
  - action: file_write
    log: true
    rules: [{ path: "./kept/**", effect: allow }]
  - action: file_delete
    log: true
    rules: [{ path: "./kept/**", effect: allow }]
  - action: network
    rules: [{ destination: "127.0.0.1:*", effect: allow }]
`;

/** Calls that the policy allows. Some of them fail for reasons of their own. */
const SCRIPT = `import errno, os, resource, socket, subprocess, sys
def tried(call):
    try: call()
    except OSError as error: return errno.errorcode[error.errno]
    return 'ok'
kept = os.path.abspath('kept')
print('read', tried(lambda: os.close(os.open('kept/file', os.O_RDONLY))))
print('forbidden', tried(lambda: os.open('kept/forbidden', os.O_RDONLY)))
print('missing', tried(lambda: os.open('kept/missing/file', os.O_WRONLY | os.O_CREAT)))
print('made', tried(lambda: os.mkdir('kept/made')))
print('renamed', tried(lambda: os.rename('kept/onto', 'kept/made')))
print('program', tried(lambda: os.execv('kept/program', ['program'])))
print('script', tried(lambda: os.execv('kept/script', ['script'])))
print('connected', tried(lambda: socket.create_connection(('127.0.0.1', int(sys.argv[1])))))
held = os.open('kept/busy', os.O_WRONLY)
print('busy', tried(lambda: os.execv('kept/busy', ['busy'])))
os.close(held)
print('spawned', subprocess.run(['env', 'true']).returncode)
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
print('full', tried(lambda: os.open('kept/full', os.O_RDONLY)))
`;

/** A port where nobody listens: the kernel gave it away a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('what became of an allowed call is in its receipt', () => {
  const sandbox = useSandbox({ user: ordinaryAccount() });
  let port = 0;
  let seen = new Map<string, string>();
  let receipts: AuditRecord[] = [];

  beforeAll(async () => {
    for (const name of ['file', 'forbidden', 'onto', 'full']) sandbox.write(`kept/${name}`, 'CONTENT\n');
    chmodSync(join(sandbox.project, 'kept/forbidden'), 0);
    for (const name of ['program', 'busy']) {
      const path = sandbox.write(`kept/${name}`, '');
      copyFileSync('/bin/true', path);
      if (sandbox.user) chownSync(path, sandbox.user.uid, sandbox.user.gid);
      chmodSync(path, 0o700);
    }
    chmodSync(join(sandbox.project, 'kept/program'), 0o600);
    chmodSync(sandbox.write('kept/script', '#!/no/such/interpreter\n'), 0o700);
    port = await closedPort();
    const outcome = await inside(sandbox, ['python3', '-c', SCRIPT, String(port)], { policy: POLICY });
    expect(outcome.status, outcome.stderr).toBe(0);
    seen = new Map(
      outcome.stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ') as [string, string]),
    );
    receipts = outcome.receipts;
  });

  const of = (name: string, action?: string) =>
    receipts.filter(
      (one) => one.target === join(sandbox.project, 'kept', name) && (action === undefined || one.action === action),
    );
  const resultsOf = (found: readonly AuditRecord[]) => [
    ...new Set(found.map((one) => one.result ?? receipts.find(({ of: n }) => n !== undefined && n === one.n)?.result)),
  ];

  it.each([
    ['read', 'file', 'ok'],
    ['forbidden', 'forbidden', 'EACCES'],
    ['made', 'made', 'ok'],
    ['renamed', 'onto', 'EISDIR'],
    ['full', 'full', 'EMFILE'],
  ])('%s', (what, name, result) => {
    expect(seen.get(what)).toBe(result);
    const found = of(name).filter(({ syscall }) =>
      what === 'renamed' ? syscall === 'rename' : what !== 'made' || syscall === 'mkdir',
    );
    expect(found.length).toBeGreaterThan(0);
    expect(found.every(({ verdict }) => verdict === 'allow')).toBe(true);
    expect(resultsOf(found)).toEqual([result]);
  });

  it('a rename of several decisions has it in each', () => {
    const found = receipts.filter(({ syscall }) => syscall === 'rename');
    expect(found.map(({ action }) => action).sort()).toEqual(['file_delete', 'file_delete', 'file_read', 'file_write']);
    expect(resultsOf(found)).toEqual(['EISDIR']);
  });

  it('a program that was seen to run, and one that the kernel would not start', () => {
    const env = receipts.filter(({ action, command }) => action === 'shell_exec' && command === 'env true');
    expect(resultsOf(env)).toEqual(['ok']);
    expect(seen.get('busy')).toBe('ETXTBSY');
    expect(resultsOf(of('busy', 'shell_exec'))).toEqual(['failed']);
  });

  it('a connection that nobody took', () => {
    expect(seen.get('connected')).toBe('ECONNREFUSED');
    const found = receipts.filter((one) => one.action === 'network' && one.port === port);
    expect(found).toMatchObject([{ verdict: 'allow', destination: '127.0.0.1' }]);
    expect(resultsOf(found)).toEqual(['ECONNREFUSED']);
  });

  it('what failed before anything was decided has no receipt that says it was allowed', () => {
    expect([seen.get('missing'), seen.get('program'), seen.get('script')]).toEqual(['ENOENT', 'EACCES', 'ENOENT']);
    expect(of('missing/file')).toEqual([]);
    expect(of('program', 'shell_exec')).toEqual([]);
    expect(of('script', 'shell_exec')).toEqual([]);
  });

  it('a refusal that a simulated run passed by has it too, and many that are alike are one', async () => {
    const script = `import os
for _ in range(200): os.close(os.open('kept/file', os.O_RDONLY))`;
    const policy = POLICY.replace('"./kept/**", effect: allow', '"./kept/*", effect: deny');
    const told = (
      await inside(sandbox, ['python3', '-c', script], { policy, options: ['--simulate'] })
    ).receipts.filter(({ verdict, target }) => verdict === 'would-deny' && target?.endsWith('/kept/file'));
    expect(told.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(200);
    expect(told.length).toBeLessThan(100);
    expect(told.filter(({ result }) => result === 'ok').length).toBeGreaterThan(0);
  });

  it('every result belongs to a decision of the same run', () => {
    for (const { of: n } of receipts.filter(({ action }) => action === 'result')) {
      expect(receipts.filter((one) => one.n === n && one.verdict === 'allow')).toHaveLength(1);
    }
  });
});

describe('a result that comes late', () => {
  it('has an entry of its own, and is told once though the daemon is killed at any time', async () => {
    const made = await new DaemonProcess().start();
    try {
      const created = await made.createRun();
      const supervisor = new FakeSupervisor(created.args);
      await supervisor.connect();
      await supervisor.next('WELCOME');
      supervisor.journal((number) => runStartFrame(number, new Uint8Array(32)));
      for (const target of ['/late', '/never']) supervisor.journal((number) => decisionFrame(number, target, 0, 0));
      await supervisor.drained();
      supervisor.journal((number) => resultFrame(number, 2, 5));
      supervisor.journal((number) => decisionFrame(number, '/at-once', 0, 0));
      supervisor.journal((number) => resultFrame(number, 5, 0));
      await supervisor.drained();
      await made.end('SIGKILL');
      await made.start();
      await supervisor.connect();
      await supervisor.next('WELCOME');
      supervisor.journal((number) => runEndFrame(number, 0));
      supervisor.send('ENDED', { STATUS: 0 });
      while (made.receipts('run_end').length === 0) await sleep(10);
      const told = [...made.receipts('file_read'), ...made.receipts('result')];
      expect(told.map(({ n, of, target, result, through }) => ({ n, of, target, result, through }))).toEqual([
        { n: 2, target: '/late' },
        { n: 3, target: '/never' },
        { n: 5, target: '/at-once', result: 'ok', through: 6 },
        { n: 4, of: 2, result: 'EIO' },
      ]);
      expect(made.receipts('gap')).toEqual([]);
      expect((await made.verify()).problems).toEqual([]);
    } finally {
      await made.end('SIGKILL');
    }
  });
});
