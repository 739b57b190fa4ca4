import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { outside } from '../support/run-inside.ts';
import { GATEKEEPER, useSandbox } from '../support/sandbox.ts';

/** Load that tries to wear the supervisor out. What is measured is never time, but who gets on meanwhile. */
describe('a run under load', () => {
  const sandbox = useSandbox();
  const isRoot = process.getuid?.() === 0;
  const probes = join(import.meta.dirname, 'probes');
  let bounds: string;

  beforeAll(async () => {
    // It says that it starts, where the loads are to say nothing.
    await sandbox.gatekeeper(['daemon', 'start']);
    bounds = join(sandbox.root, 'bounds');
    execFileSync('gcc', ['-std=gnu17', '-O1', '-static', '-pthread', '-o', bounds, join(probes, 'bounds.c')]);
    sandbox.write('.env', 'SECRET=1\n');
    sandbox.write('ok.txt', 'ordinary\n');
  });

  /** One load in the background; when it is under way `meanwhile` runs, and then the load is told to end. */
  const beside = (load: string, meanwhile: string): string =>
    `rm -f started stop; "${bounds}" ${load} & while [ ! -e started ]; do sleep 0.02; done; ${meanwhile}; : > stop; wait $!`;

  const script = (text: string): string[] => ['sh', '-c', text];
  /** Receipts by the ten thousand are not waited for. */
  const inside = (argv: readonly string[]) => sandbox.gatekeeper(['run', '--policy', 'default', '--', ...argv]);
  const run = (text: string) => inside(script(text));

  it('lets a process open files while another floods the supervisor from 2,000 threads', async () => {
    const opens = 100;
    const result = await run(beside('flood 2000 .env started stop', `"${bounds}" opens ${opens} ok.txt`));
    console.log(`within one run: ${result.stdout.trim().replace('\n', '; ')}`);
    expect(`${result.status} ${result.stderr}`).toBe('0 ');
    expect(result.stdout).toMatch(/wrong 0/);
    // In the order of arrival each open would come after one call of every thread.
    const flooded = Number(/flooded (\d+)/.exec(result.stdout)?.[1]);
    expect(flooded).toBeLessThan(opens * 1000);
  });

  it('lets another run open files meanwhile', async () => {
    for (const name of ['started', 'stop']) rmSync(join(sandbox.project, name), { force: true });
    const flood = inside([bounds, 'flood', '2000', '.env', 'started', 'stop']);
    await appears('started');
    const result = await inside([bounds, 'opens', '500', 'ok.txt']);
    sandbox.write('stop', '');
    console.log(`another run: ${result.stdout.trim()}; ${(await flood).stdout.trim()}`);
    expect(result.stdout).toMatch(/^opened 500 /);
    expect((await flood).stdout).toMatch(/wrong 0/);
  });

  it('goes on while 600 threads wait for FIFOs, and lets each of them meet its writer', async () => {
    const text = beside(
      'fifos 600 f started stop',
      `mkfifo other; (echo met > other &); cat other; "${bounds}" opens 100 ok.txt; rm other`,
    );
    const lay = (): void => {
      rmSync(join(sandbox.project, 'f'), { recursive: true, force: true });
      mkdirSync(join(sandbox.project, 'f'));
    };
    for (const way of [() => outside(sandbox, script(text)), () => run(text)]) {
      lay();
      const result = await way();
      expect(result.stdout).toMatch(/^met\nopened 100 .*\nmet 600 wrong 0\n$/);
      expect(`${result.status} ${result.stderr}`).toBe('0 ');
    }
    rmSync(join(sandbox.project, 'f'), { recursive: true, force: true });
  });

  it.runIf(isRoot)('goes on while 40 lookups wait for a file server that does not answer, and ends', async () => {
    const mount = join(sandbox.project, 'mnt');
    mkdirSync(mount);
    const server = spawn('python3', [join(probes, 'stalled_fs.py'), mount], { stdio: ['pipe', 'pipe', 'inherit'] });
    const said = linesOf(server);
    try {
      await until(() => said().includes('ready'));
      const result = await run(
        beside('stalls 40 mnt started stop', `"${bounds}" opens 200 ok.txt; cat mnt/here; mkdir made; ls -d made`),
      );
      expect(result.stdout).toMatch(/^opened 200 .*\nmade\nreturned 0\n$/);
      // It says that a supervisor of it is left, which the server holds.
      expect(result.status).toBe(0);
      expect(said()).toContain('waits');
    } finally {
      const ended = new Promise((done) => server.once('exit', done));
      server.stdin?.end();
      await ended;
    }
  });

  it('shows no name twice made or twice removed when a timer interrupts every change', async () => {
    const argv = [bounds, 'interrupted', '1000', '.'];
    for (const way of [() => outside(sandbox, argv), () => inside(argv)]) {
      const result = await way();
      expect(result.stderr).toBe('');
      expect(result.stdout).toMatch(/^signals \d+ wrong 0\n$/);
    }
  });

  it('outlives the death of callers in the middle of their calls', async () => {
    const result = await run(`"${bounds}" killed 60 32 ok.txt; "${bounds}" killed 30 200 .env; cat ok.txt`);
    expect(result.stdout).toBe('killed 60\nkilled 30\nordinary\n');
    expect(result.stderr).toBe('');
  });

  it('refuses while its supervisor has no descriptors, lets nothing through, and goes on when it has', async () => {
    rmSync(join(sandbox.project, 'stop'), { force: true });
    const child = spawn(process.execPath, [GATEKEEPER, 'run', '--policy', 'default', '--', 'python3', '-c', WATCHER], {
      cwd: sandbox.project,
      env: { ...process.env, ...sandbox.env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = new Promise((done) => child.once('close', done));
    const said = linesOf(child);
    const last = (): string | undefined => said().at(-1);
    const normal = 'ok.txt read, .env EACCES, mkdir made, true ran';
    await until(() => last() === normal);
    const limit = (soft: string): void => {
      for (const pid of supervisorsOf(sandbox.layout.runs))
        execFileSync('prlimit', [`--nofile=${soft}:`, '--pid', pid]);
    };
    for (let round = 0; round < 2; round++) {
      limit('0');
      await until(() => last() === 'ok.txt EMFILE, .env EMFILE, mkdir EMFILE, true EMFILE');
      limit('1024');
      await until(() => last() === normal);
    }
    sandbox.write('stop', '');
    expect(await ended).toBe(0);
    expect(said().filter((line) => line.includes('.env read'))).toEqual([]);
  });

  /** The supervisor of the only run and what it forked: all but the guardian, whose parent is the command line. */
  function supervisorsOf(runs: string): string[] {
    const found = readdirSync('/proc').filter((pid) => {
      const command = /^\d+$/.test(pid) ? commandOf(pid) : '';
      return command.includes('gk-supervise') && command.includes(runs);
    });
    return found.filter((pid) => found.includes(parentOf(pid)));
  }

  const appears = (name: string): Promise<void> => until(() => existsSync(join(sandbox.project, name)));
});

/** Says how four calls fare, whenever that changes. */
const WATCHER = `
import errno, os, subprocess, sys
def attempt(name, success, call):
    try:
        call()
        return name + ' ' + success
    except subprocess.CalledProcessError:
        return name + ' failed'
    except OSError as error:
        return name + ' ' + errno.errorcode[error.errno]
def read(name):
    os.close(os.open(name, os.O_RDONLY))
def make():
    try: os.rmdir('made-for-a-moment') # left when the descriptors went after it was made
    except FileNotFoundError: pass
    os.mkdir('made-for-a-moment')
    os.rmdir('made-for-a-moment')
before = None
while not os.path.exists('stop'):
    now = ', '.join([
        attempt('ok.txt', 'read', lambda: read('ok.txt')),
        attempt('.env', 'read', lambda: read('.env')),
        attempt('mkdir', 'made', make),
        attempt('true', 'ran', lambda: subprocess.run(['/bin/true'], check=True)),
    ])
    if now != before:
        print(now, flush=True)
    before = now
`;

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** proc_pid_stat(5): the parent is the second field behind the name. */
function parentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[1]!;
  } catch {
    return '';
  }
}

/** What a child has printed so far, as lines. */
function linesOf(child: ChildProcess): () => string[] {
  let text = '';
  child.stdout?.on('data', (chunk) => (text += String(chunk)));
  return () => text.split('\n').slice(0, -1);
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 20) {
    if (waited > 60_000) throw new Error('it does not happen');
    await sleep(20);
  }
}
