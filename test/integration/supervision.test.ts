import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { readRecords } from '../../src/adapters/audit-log/read.ts';
import { statusIfRunning } from '../../src/adapters/control-client/start-daemon.ts';
import { denials, inside } from '../support/run-inside.ts';
import { GATEKEEPER, type Sandbox, useSandbox } from '../support/sandbox.ts';

describe('the death of a process', () => {
  const sandbox = useSandbox();

  it('of the supervisor stops the agent and all that it started', async () => {
    const run = start(
      sandbox,
      'sh -c "while :; do date +%s%N > beat-child; sleep 0.02; done" & while :; do date +%s%N > beat; sleep 0.02; done',
    );
    await appears(join(sandbox.project, 'beat-child'));
    const [, supervisor] = supervisorsOf(sandbox);
    process.kill(supervisor!, 'SIGKILL');
    expect(await run.ended).toBe(125);
    await sleep(100);
    const before = beats(sandbox);
    await sleep(300);
    expect(beats(sandbox)).toEqual(before);
    expect(processesIn(sandbox.project)).toEqual([]);
    await until(() => recorded(sandbox, 'run_lost').length > 0);
  });

  it('of the guardian does too', async () => {
    rmSync(join(sandbox.project, 'beat'), { force: true });
    const run = start(sandbox, 'while :; do date +%s%N > beat; sleep 0.02; done');
    await appears(join(sandbox.project, 'beat'));
    const [guardian] = supervisorsOf(sandbox);
    process.kill(guardian!, 'SIGKILL');
    await run.ended;
    await until(() => processesIn(sandbox.project).length === 0);
  });

  it('of the killer, which is to end the run then, ends it', async () => {
    rmSync(join(sandbox.project, 'beat'), { force: true });
    const run = start(sandbox, 'while :; do date +%s%N > beat; sleep 0.02; done');
    await appears(join(sandbox.project, 'beat'));
    const [, supervisor] = supervisorsOf(sandbox);
    const killer = processes().find(({ pid }) => nameOf(pid) === 'gk-killer' && parentOf(pid) === supervisor);
    process.kill(killer!.pid, 'SIGKILL');
    expect(await run.ended).toBe(125);
    expect(run.output()).toContain('the killer process is gone');
    expect(processesIn(sandbox.project)).toEqual([]);
  });

  it('of the daemon opens nothing up and loses no receipt', async () => {
    sandbox.write('.env', 'SECRET=1\n');
    for (const name of ['go', 'first', 'second']) rmSync(join(sandbox.project, name), { force: true });
    const run = start(
      sandbox,
      'cat .env; touch first; while [ ! -e go ]; do sleep 0.02; done; for i in 1 2 3 4 5; do cat .env; done; curl -sS http://example.invalid/; touch second',
    );
    await appears(join(sandbox.project, 'first'));
    const daemon = (await statusIfRunning(sandbox.layout))!.pid;
    process.kill(daemon, 'SIGKILL');
    const before = recorded(sandbox, 'file_read').length;
    sandbox.write('go', '');
    await appears(join(sandbox.project, 'second'));
    await run.ended;
    expect(run.output()).not.toContain('SECRET');
    expect(run.output().match(/Permission denied/g)?.length).toBe(6);
    const status = await sandbox.gatekeeper(['daemon', 'start']);
    expect(status.status).toBe(0);
    await until(() => recorded(sandbox, 'file_read').length >= before + 5);
    const verified = await sandbox.gatekeeper(['audit', 'verify']);
    expect(verified.stdout + verified.stderr).toMatch(/verified/);
    expect(verified.status).toBe(0);
  });

  it('of the first process ends its daemonised children with the run', async () => {
    const result = await inside(sandbox, [
      'sh',
      '-c',
      'setsid sh -c "while :; do sleep 0.05; done" >/dev/null 2>&1 & sleep 0.2; exit 4',
    ]);
    expect(result.status).toBe(4);
    expect(processesIn(sandbox.project)).toEqual([]);
  });
});

describe('a full disk', () => {
  const isRoot = process.getuid?.() === 0;
  const script = 'perl -e "for (1..17000) { open(F, q(<), q(.env)) }"; cat ok.txt; /bin/true && echo ran; cat .env';

  describe.runIf(isRoot)('of a log that halts', () => {
    const sandbox = useSandbox();
    it('denies what cannot be recorded, and says so', async () => {
      const output = await runOnFullDisk(sandbox);
      expect(output).toMatch(/cat: Permission denied[\s\S]*true: Permission denied/);
      expect(output).not.toMatch(/^ran$/m);
      expect(output).toContain('journal cannot be written (No space left on device): what needs a receipt is refused');
      expect(told.missing.map(({ kind }) => kind)).toContain('unrecorded');
      for (const { text } of told.missing) expect(text).toMatch(/allowed 0, refused [1-9]/);
    });
  });

  describe.runIf(isRoot)('of a log that degrades', () => {
    const sandbox = useSandbox();
    it('lets happen what rules allow and nothing else, and tells how much', async () => {
      mkdirSync(sandbox.layout.config, { recursive: true, mode: 0o700 });
      writeFileSync(sandbox.layout.auditSettings, 'version: 1\nonFailure: degrade\n', { mode: 0o600 });
      const output = await runOnFullDisk(sandbox);
      expect(output).toMatch(/^ordinary\nran$/m);
      expect(output).toContain('cat: .env: Permission denied');
      expect(output).not.toContain('SECRET');
      expect(output).toContain('warning: onFailure is degrade');
      expect(told.missing.map(({ kind }) => kind)).toContain('degraded');
      expect(told.missing.at(-1)?.text).toMatch(/allowed [1-9]\d*, refused [1-9]/);
      expect(told.started).toMatchObject([{ text: expect.stringContaining('degrade') }]);
    });
  });

  /** What was in the log before the disk was gone. */
  const told: Record<'missing' | 'started', ReturnType<typeof recorded>> = { missing: [], started: [] };

  /** What the command printed. Its daemon starts on a state directory that then has room for a segment and little more. */
  async function runOnFullDisk(sandbox: Sandbox): Promise<string> {
    mkdirSync(sandbox.layout.state, { recursive: true, mode: 0o700 });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=7m,mode=700', 'tmpfs', sandbox.layout.state]);
    try {
      sandbox.write('.env', 'SECRET=1\n');
      sandbox.write('ok.txt', 'ordinary\n');
      await sandbox.gatekeeper(['daemon', 'start']);
      execFileSync('dd', ['if=/dev/zero', `of=${sandbox.layout.state}/ballast`, 'bs=64k', 'count=16'], {
        stdio: 'ignore',
      });
      const run = start(sandbox, script);
      await run.ended;
      await until(() => recorded(sandbox, 'run_end').length > 0);
      told.missing = recorded(sandbox, 'gap');
      told.started = recorded(sandbox, 'run_start');
      return run.output();
    } finally {
      await sandbox.gatekeeper(['daemon', 'stop']);
      execFileSync('umount', ['-l', sandbox.layout.state]);
    }
  }
});

describe('a run', () => {
  const sandbox = useSandbox();

  it('leaves no file in the project that the program did not write', async () => {
    sandbox.write('.env', 'SECRET=1\n');
    const seen = await inside(sandbox, ['sh', '-c', 'ls -A; cat .env; ls -A; mkdir .git; ls -A']);
    expect(seen.stdout).toBe('.env\n.env\n.env\n.git\n');
    expect(readdirSync(sandbox.project).sort()).toEqual(['.env', '.git']);
    expect(denials(seen.receipts)).toHaveLength(1);
  });

  it('of a policy that is tightened meanwhile obeys the new one', async () => {
    const policy = join(sandbox.root, 'live.yaml');
    const text = (rule: string): string =>
      `version: 1\nname: live\nextends: [default]\npolicies:\n  - action: file_read\n    rules:\n${rule}`;
    writeFileSync(policy, text('      - { path: "./x", effect: allow }\n'));
    sandbox.write('x', 'content\n');
    const run = start(
      sandbox,
      'touch up; for i in $(seq 400); do cat x >/dev/null 2>&1 || { echo refused; exit; }; sleep 0.02; done; echo never',
      ['--policy', policy],
    );
    await appears(join(sandbox.project, 'up'));
    writeFileSync(policy, text('      - { path: "./x", effect: deny }\n'));
    await run.ended;
    expect(run.output()).toContain('refused');
  });
});

type Started = { child: ChildProcess; ended: Promise<number>; output(): string };

/** `gatekeeper run` of a shell script that goes on while the test looks. */
function start(sandbox: Sandbox, script: string, options: readonly string[] = []): Started {
  const child = spawn(process.execPath, [GATEKEEPER, 'run', ...options, '--', 'sh', '-c', script], {
    cwd: sandbox.project,
    env: { ...process.env, ...sandbox.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += String(chunk)));
  const ended = new Promise<number>((done) => child.once('close', (code) => done(code ?? -1)));
  return { child, ended, output: () => text };
}

/** The guardian's and the supervisor's pid of the only run of this sandbox. */
function supervisorsOf(sandbox: Sandbox): number[] {
  return processes()
    .filter(({ command }) => command.includes('gk-supervise') && command.includes(sandbox.layout.runs))
    .map(({ pid }) => pid)
    .sort((a, b) => a - b);
}

/** Processes whose working directory lies in `directory`. */
function processesIn(directory: string): number[] {
  return processes()
    .filter(({ cwd, command }) => cwd === directory && !command.includes('vitest'))
    .map(({ pid }) => pid);
}

function processes(): { pid: number; command: string; cwd: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({
      pid: Number(name),
      command: (unlessGone(() => readFileSync(`/proc/${name}/cmdline`, 'utf8')) ?? '').replaceAll('\0', ' '),
      // Of a process that hides its memory, as the supervisor does, only root learns it.
      cwd: unlessGone(() => readlinkSync(`/proc/${name}/cwd`)) ?? '',
    }));
}

const nameOf = (pid: number): string | undefined => unlessGone(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim());

const parentOf = (pid: number): number =>
  Number(/^PPid:\t(\d+)/m.exec(unlessGone(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? '')?.[1]);

function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const beats = (sandbox: Sandbox): string[] =>
  ['beat', 'beat-child'].map((name) => readFileSync(join(sandbox.project, name), 'utf8'));

const recorded = (sandbox: Sandbox, action: string) =>
  [...readRecords(sandbox.layout.audit)].flat().filter((record) => record.action === action);

const appears = (path: string): Promise<void> => until(() => existsSync(path));

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 20) {
    if (waited > 20_000) throw new Error('it does not happen');
    await sleep(20);
  }
}
