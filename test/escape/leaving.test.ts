import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestControl } from '../../src/adapters/control-client/request.ts';
import { API } from '../../src/core/contract/control-api.ts';
import { SYSCALLS } from '../../src/core/kernel/syscalls.ts';
import { inside, outside } from '../support/run-inside.ts';
import { GATEKEEPER, useSandbox } from '../support/sandbox.ts';
import { type Fixture, openFixture } from './fixture.ts';

const sandbox = useSandbox();
let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture(sandbox);
});
afterAll(() => fixture?.close());

describe('gatekeeper itself', () => {
  const ways: readonly [string, readonly string[]][] = [
    ['a run inside the run', ['run', '--policy', 'observe', '--', 'cat', '.env']],
    ['a detached run', ['run', '--detach', '--policy', 'observe', '--', 'cat', '.env']],
    ['the end of the run', ['kill', 'driven']],
    ['a destination for everybody', ['net', 'allow', 'example.com']],
    ['the end of the daemon', ['daemon', 'stop']],
    ['the list of runs', ['ps', '--json']],
    ['the log', ['audit', 'tail']],
  ];
  it.each(ways)('gives no program of a run %s', async (_name, args) => {
    fixture.lay();
    const daemon = await status();
    const result = await inside(sandbox, [
      'sh',
      '-c',
      '"$@"; echo "status $?"',
      'sh',
      process.execPath,
      GATEKEEPER,
      ...args,
    ]);
    // Where nothing is to be had, `ps` lists nothing and `daemon stop` finds no daemon.
    expect(result.stdout).toMatch(/^(\[\]\n|.*not running.*\n)?status \d+\n$/);
    expect(result.stdout + result.stderr).not.toContain('swordfish');
    expect(result.run?.state).toBe('ended');
    if (daemon !== undefined) expect((await status())?.pid).toBe(daemon.pid);
    expect(existsSync(sandbox.layout.userPolicy)).toBe(false);
  });

  const status = () => requestControl<{ pid: number }>(sandbox.layout, API.status).catch(() => undefined);
});

describe('the number of a terminal', () => {
  // The kernel gives the lowest number that is free: that of the terminal which has just been closed. Nobody else may hold it then.
  const script = `
import os, signal, subprocess, sys, time
def wait(path):
    while not os.path.exists(path): time.sleep(0.02)
master, slave = os.openpty()
run = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=subprocess.DEVNULL, start_new_session=True)
os.close(slave)
wait('up')
run.send_signal(signal.SIGKILL)
run.wait()
os.close(master)
others = [os.openpty() for _ in range(16)]
open('names.new', 'w').write(' '.join(os.ttyname(s) for _, s in others))
os.rename('names.new', 'names')
wait('ended')`;
  const reach = `exec </dev/null >/dev/null; : >up; while [ ! -e names ]; do sleep 0.02; done
for t in $(cat names); do if ( : >$t ) 2>/dev/null; then echo "reached $t"; fi; done >result; : >ended`;

  it('that was the run’s own means nothing once another terminal has it', async () => {
    fixture.lay();
    const argv = ['python3', '-c', script, process.execPath, GATEKEEPER, 'run', '--', 'sh', '-c', reach];
    const child = spawn(argv[0]!, argv.slice(1), {
      cwd: sandbox.project,
      env: { ...process.env, ...sandbox.env },
      stdio: 'ignore',
      detached: true,
    });
    await gone(child);
    expect(readFileSync(join(sandbox.project, 'result'), 'utf8')).toBe('');
  });
});

describe('the listener of a run', () => {
  it('is in the hands of its supervisor alone', async () => {
    fixture.lay();
    const child = start(['sh', '-c', ': >up; sleep 60 & while [ ! -e end ]; do sleep 0.02; done']);
    await appears('up');
    const holders = listenerHolders();
    const processes = descendants(child.pid!);
    const agents = processes.filter((pid) => !programOf(pid).includes('gk-supervise'));
    writeFileSync(join(sandbox.project, 'end'), '');
    await gone(child);
    // An ordinary user sees no descriptor of a process that hides its memory; of the agent's processes everybody's are seen.
    expect(holders.filter((pid) => agents.includes(pid))).toEqual([]);
    if (process.getuid?.() === 0) expect(holders.filter((pid) => processes.includes(pid))).toHaveLength(1);
  });
});

describe('programs that hide their memory', () => {
  it('work, and are judged like all others', async () => {
    fixture.lay();
    const script =
      'import ctypes; print(ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)); print(open("ok.txt").read()); print(open(".env").read())';
    expect((await outside(sandbox, ['python3', '-c', script])).stdout).toContain('swordfish');
    const result = await inside(sandbox, ['python3', '-c', script]);
    expect(result.stdout).toBe('0\nordinary\n\n');
    expect(result.stderr).toContain('PermissionError');
  });
});

/** Calls that one errno answers whatever their arguments are, numbers that are none, and all of the x32 interface. */
describe('every number of a system call', () => {
  it('gets what the table says, and ENOSYS where it says nothing', async () => {
    const known = new Map(SYSCALLS.map(({ nr, treatment }) => [nr, treatment]));
    const wanted = Array.from({ length: 601 }, (_, nr) => {
      const treatment = known.get(nr) ?? { errno: 'ENOSYS' };
      return typeof treatment === 'object' && 'errno' in treatment ? `${nr}:${treatment.errno}` : undefined;
    }).filter((entry) => entry !== undefined);
    const x32 = Array.from({ length: 601 }, (_, nr) => `${0x40000000 + nr}:ENOSYS`);
    const list = join(sandbox.project, 'numbers');
    // Outside only what asks for memory: others would do as they are told.
    writeFileSync(list, '29:ENOSYS\n');
    expect((await outside(sandbox, [fixture.probe, 'numbers', list])).stdout).toContain('29');
    writeFileSync(list, [...wanted, ...x32].join('\n'));
    const result = await inside(sandbox, [fixture.probe, 'numbers', list]);
    expect(result.stdout).toBe('');
    expect(result.stderr).toContain('EPERM');
  });
});

function start(argv: readonly string[]): ChildProcess {
  return spawn(process.execPath, [GATEKEEPER, 'run', '--', ...argv], {
    cwd: sandbox.project,
    env: { ...process.env, ...sandbox.env },
    stdio: 'ignore',
  });
}

const gone = (child: ChildProcess): Promise<void> => new Promise((done) => void child.once('close', () => done()));

async function appears(name: string): Promise<void> {
  for (let waited = 0; !existsSync(join(sandbox.project, name)); waited += 20) {
    if (waited > 30_000) throw new Error(`${name} does not appear`);
    await sleep(20);
  }
}

const pids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

function listenerHolders(): number[] {
  return pids().filter((pid) =>
    (attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? []).some((fd) =>
      attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`))?.includes('seccomp notify'),
    ),
  );
}

function descendants(of: number): number[] {
  const parents = new Map(pids().map((pid) => [pid, parentOf(pid)]));
  const isBeneath = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === of || isBeneath(parents.get(pid)));
  return [...parents.keys()].filter(isBeneath);
}

function parentOf(pid: number): number | undefined {
  const line = /^PPid:\t(\d+)/m.exec(attempt(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? '');
  return line && line[1] !== '0' ? Number(line[1]) : undefined;
}

const programOf = (pid: number): string => attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '';

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
