import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bare } from '../support/bare.ts';
import { denials, inside, outside } from '../support/run-inside.ts';
import { GATEKEEPER, useSandbox } from '../support/sandbox.ts';

/** Signals at the wrong moment, arguments of any size, terminals that take nothing: the same inside as outside. */
describe('a program', () => {
  const sandbox = useSandbox();
  beforeAll(async () => {
    await sandbox.gatekeeper(['daemon', 'start']);
    sandbox.write('.env', 'SECRET=1\n');
  });
  const python = (script: string): string[] => ['python3', '-c', script];

  it('builds pipelines while a timer interrupts every call, and loses none', async () => {
    for (const way of [outside, inside]) {
      const { stdout, stderr } = await way(sandbox, python(PIPELINES));
      expect([stdout, stderr]).toEqual(['200 of 200, and signals came\n', '']);
    }
  });

  it('is reached by its signal while it waits for a FIFO, a lock or a connection', async () => {
    for (const way of [outside, inside]) {
      const { stdout, stderr } = await way(sandbox, python(WAITS));
      expect([stdout, stderr]).toEqual(['fifo interrupted\nlock interrupted\naccept interrupted\n', '']);
    }
  });

  it('is started with arguments that are none, too many, too long or nowhere as it is outside', async () => {
    const bareLines = (await outside(sandbox, python(ARGUMENTS))).stdout;
    expect(bareLines).toMatch(/a million bytes: ran\n.*one too long: E2BIG\n.*nowhere: EFAULT/s);
    const { stdout, stderr } = await inside(sandbox, python(ARGUMENTS));
    expect([stdout, stderr]).toEqual([bareLines, '']);
  });

  it('is denied however long its arguments are, and the receipt says how much it leaves out', async () => {
    const policy = `version: 1
name: no-secret-word
extends: [default]
policies:
  - action: shell_exec
    rules:
      - { command: ["/usr/bin/printf *"], effect: deny, reason: "not that" }
`;
    const script = `import os
try: os.execv('/usr/bin/printf', ['printf', '%s'] + ['x' * 100000] * 10)
except OSError as error: print(error.errno)`;
    expect((await outside(sandbox, python(script))).stdout.length).toBe(1_000_000);
    const { stdout, receipts } = await inside(sandbox, python(script), { policy });
    expect(stdout).toBe('13\n');
    const denied = denials(receipts).filter(({ action }) => action === 'shell_exec');
    expect(denied).toHaveLength(1);
    expect(String(denied[0]!['command']).length).toBeLessThan(40_000);
  });

  it('is judged while its terminal takes nothing, in which nobody else waits', async () => {
    const argv = [...python(STOPPED_TERMINAL), process.execPath, GATEKEEPER, 'run', '--', 'sh', '-c', DENIED];
    const { stdout, stderr } = await bare(argv, { cwd: sandbox.project, env: sandbox.env });
    expect([stdout, stderr]).toEqual(['went on, and then ended with 0\n', '']);
    expect(existsSync(join(sandbox.project, 'done'))).toBe(true);
  });
});

const PIPELINES = `
import signal, subprocess
came = 0
def on_alarm(*_):
    global came
    came += 1
signal.signal(signal.SIGALRM, on_alarm)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
right = 0
for _ in range(20):
    # The timer of the shell itself is its children: SIGCHLD with a handler.
    text = 'trap : CHLD; for i in 1 2 3 4 5 6 7 8 9 10; do echo a | cat | cat; done'
    right += subprocess.run(['sh', '-c', text], capture_output=True, text=True, check=True).stdout.count('a')
signal.setitimer(signal.ITIMER_REAL, 0)
print(f'{right} of 200, and {"signals came" if came else "no signal came"}')`;

const WAITS = `
import fcntl, os, signal, socket, tempfile
class Alarm(Exception): pass
def on_alarm(*_): raise Alarm
signal.signal(signal.SIGALRM, on_alarm)
def attempt(name, call):
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        call()
        print(name, 'ended')
    except Alarm:
        print(name, 'interrupted')
with tempfile.TemporaryDirectory(dir='.') as at:
    os.mkfifo(at + '/fifo')
    attempt('fifo', lambda: os.open(at + '/fifo', os.O_RDONLY))
    held, wanted = open(at + '/lock', 'w'), open(at + '/lock', 'w')
    fcntl.flock(held, fcntl.LOCK_EX)
    attempt('lock', lambda: fcntl.flock(wanted, fcntl.LOCK_EX))
    server = socket.socket()
    server.bind(('127.0.0.1', 0))
    server.listen()
    attempt('accept', server.accept)`;

const ARGUMENTS = `
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
def start(name, argv, environment=None):
    pid = os.fork()
    if pid == 0:
        libc.syscall(59, b'/bin/true', argv, environment)
        os._exit(100 + ctypes.get_errno() if ctypes.get_errno() < 100 else 99)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(f'{name}: {"ran" if status in (0, 1) else errno.errorcode.get(status - 100, status)}', flush=True)
def array(*texts): return (ctypes.c_char_p * (len(texts) + 1))(*texts, None)
start('no array', None)
start('an empty array', array())
start('an empty argument', array(b''))
start('a million bytes', array(b'true', *[b'x' * 100000] * 10))
start('fifty thousand arguments', array(b'true', *[b'x'] * 50000))
start('one too long', array(b'true', b'x' * 140000))
start('too many', array(b'true', *[b'x' * 100000] * 80))
start('nowhere', ctypes.c_void_p(8))
start('an argument nowhere', (ctypes.c_void_p * 3)(ctypes.cast(ctypes.c_char_p(b'true'), ctypes.c_void_p), 8, None))
start('an environment nowhere', array(b'true'), ctypes.c_void_p(8))
both = array(b'true', b'A=B')
start('an environment that is the arguments', both, both)`;

/** What the run prints would not get through; what it does goes on. */
const STOPPED_TERMINAL = `
import os, subprocess, sys, termios, time
master, slave = os.openpty()
run = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
while not os.path.exists('up') and run.poll() is None: time.sleep(0.02)
termios.tcflow(slave, termios.TCOOFF)
open('go', 'w').close()
while not os.path.exists('done') and run.poll() is None: time.sleep(0.02)
went_on = os.path.exists('done')
termios.tcflow(slave, termios.TCOON)
os.set_blocking(master, False)
while run.poll() is None:
    try: os.read(master, 65536)
    except BlockingIOError: time.sleep(0.02)
print('went on' if went_on else 'stopped', f', and then ended with {run.returncode}', sep='')`;

const DENIED =
  ': >up; while [ ! -e go ]; do sleep 0.02; done; for i in $(seq 300); do cat .env; done 2>/dev/null; : >done';
