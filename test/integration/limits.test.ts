import { describe, expect, it } from 'vitest';
import { ordinaryAccount } from '../support/account.ts';
import { inside, outside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';

const accounts = [undefined, ordinaryAccount()].filter((user, index) => index === 0 || user !== undefined);

describe.each(accounts.map((user) => ({ who: user?.name ?? 'the account of the tests', user })))(
  'limits of a run as $who',
  ({ user }) => {
    const sandbox = useSandbox({ user });
    const limited = (limits: string, argv: readonly string[], options: readonly string[] = []) =>
      inside(sandbox, argv, {
        policy: `version: 1\nname: limits\nextends: [default]\nlimits: { ${limits} }\n`,
        options,
      });
    const python = (script: string) => ['python3', '-c', script];

    it('end the making of processes at the number, and let it go on when some have ended', async () => {
      const script = `import os, signal
def fill():
    children = []
    try:
        while len(children) < 60:
            pid = os.fork()
            if pid == 0: signal.pause(); os._exit(0)
            children.append(pid)
        why = 'no limit'
    except OSError as error: why = error.strerror
    for pid in children: os.kill(pid, 9); os.waitpid(pid, 0)
    return why, len(children)
print(fill(), fill())`;
      expect((await outside(sandbox, python(script))).stdout).toBe("('no limit', 60) ('no limit', 60)\n");
      const { stdout } = await limited('processes: 20', python(script));
      expect(stdout).toBe("('Resource temporarily unavailable', 19) ('Resource temporarily unavailable', 19)\n");
    });

    it.each([
      ['fork', 'os.fork() or os._exit(0)'],
      ['vfork', 'subprocess.Popen(["true"])'],
      ['posix_spawn', 'os.posix_spawn("/bin/true", ["true"], {})'],
      ['clone', 'libc.syscall(56, 17, 0, 0, 0, 0) or os._exit(0)'],
      ['clone3', 'libc.syscall(435, 0, 0) >= 0 or failed(38)'],
    ])('hold for %s', async (_name, call) => {
      const script = `import os, subprocess, ctypes
libc = ctypes.CDLL(None, use_errno=True)
def failed(error): raise OSError(error, '')
made = []
try:
    for i in range(30):
        made.append(${call})
        if made[-1] == -1: failed(ctypes.get_errno())
except OSError as error: print(len(made) < 10, error.errno)`;
      const { stdout } = await limited('processes: 4', python(script));
      expect(stdout).toMatch(/^True (11|38)\n$/); // EAGAIN; ENOSYS for clone3, whose flags no filter can read
    });

    it('count processes, not threads, and none that were waited for', async () => {
      const script = `import os, threading
ready = threading.Barrier(31)
for _ in range(30): threading.Thread(target=ready.wait).start()
ready.wait()
for _ in range(200):
    pid = os.fork()
    if pid == 0: os._exit(0)
    os.waitpid(pid, 0)
print('done')`;
      expect((await limited('processes: 4', python(script))).stdout).toBe('done\n');
    });

    it('stop a fork bomb, which harms neither the supervisor nor the daemon nor another run', async () => {
      const script = `import os
refused = 0
first = os.getpid()
while refused < 100:
    try: os.fork()
    except OSError: refused += 1
if os.getpid() == first:
    mine = [p for p in os.listdir('/proc') if p.isdigit()]
    def group(p):
        try: return open('/proc/%s/stat' % p).read().rsplit(')', 1)[1].split()[2]
        except OSError: return None
    alive = sum(group(p) == str(os.getpgrp()) for p in mine)
    print('alive', alive)
else:
    import signal
    signal.pause()`;
      const [bomb, other] = await Promise.all([
        limited('processes: 40', ['setsid', '--wait', ...python(script)]),
        limited('processes: 40', ['bash', '-c', 'for i in 1 2 3 4 5; do /bin/true || exit 1; done; echo fine']),
      ]);
      const [, alive] = /^alive ([0-9]+)\n$/.exec(bomb.stdout) ?? [];
      expect([bomb.status, bomb.stderr, bomb.stdout]).toEqual([
        0,
        expect.not.stringContaining('ended'),
        expect.stringMatching(/^alive/),
      ]);
      expect(Number(alive)).toBeGreaterThan(10);
      expect(Number(alive)).toBeLessThanOrEqual(80); // what forks in one moment may pass it, once
      expect(other.stdout).toBe('fine\n');
      expect((await sandbox.gatekeeper(['daemon', 'status'])).status).toBe(0);
    });

    it("of memory, open files and processor time are the kernel's, for each process, and cannot be raised", async () => {
      const script = `import os, resource, signal
try: bytearray(600 << 20); print('memory')
except MemoryError: print('no memory')
files = []
try:
    while len(files) < 100: files.append(os.open('/', os.O_RDONLY))
    print('files')
except OSError as error: print('no files', len(files) < 64)
for what in (resource.RLIMIT_DATA, resource.RLIMIT_NOFILE, resource.RLIMIT_CPU):
    try: resource.setrlimit(what, (1 << 40, 1 << 40)); print('raised', what)
    except (ValueError, PermissionError): pass
signal.signal(signal.SIGXCPU, lambda *_: (print('time is up', flush=True), os._exit(3)))
while True: pass`;
      const { stdout, status } = await limited('memory: 512MiB, openFiles: 64, cpuTime: 1s', python(script));
      expect([stdout, status]).toEqual(['no memory\nno files True\ntime is up\n', 3]);
    });

    it('do not loosen what the user has set', async () => {
      const script = 'ulimit -n 32; ulimit -t 5; exec "$@"';
      const { stdout } = await outside(sandbox, ['bash', '-c', script, '-', process.execPath, ...(await command())], {
        env: sandbox.env,
      });
      expect(stdout).toBe('32 5\n');
      async function command() {
        const { GATEKEEPER } = await import('../support/sandbox.ts');
        const file = sandbox.write(
          'limits.yaml',
          'version: 1\nname: l\nextends: [default]\nlimits: { openFiles: 4096, cpuTime: 1h }\n',
        );
        await sandbox.gatekeeper(['daemon', 'start']);
        return [GATEKEEPER, 'run', '--policy', file, '--', 'bash', '-c', 'echo $(ulimit -n) $(ulimit -t)'];
      }
    });

    it('are not held in a simulation, and let what needs threads run', async () => {
      expect((await limited('openFiles: 64', ['bash', '-c', 'ulimit -n'], ['--simulate'])).stdout).not.toBe('64\n');
      const node = 'require("crypto").pbkdf2("a", "b", 1, 8, "sha256", () => console.log("threads"))';
      const { stdout } = await limited('processes: 8, memory: 4GiB, openFiles: 1024, cpuTime: 1m', [
        'node',
        '-e',
        node,
      ]);
      expect(stdout).toBe('threads\n');
    });
  },
);
