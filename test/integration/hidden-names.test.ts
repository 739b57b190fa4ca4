import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { denials, inside, outside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';

const POLICY = `version: 1
name: hiding
extends: [default]
policies:
  - action: file_read
    rules:
      - { path: ["./vault/**", "./many/*-odd", "./token"], effect: deny, hide: true }
      - { path: "./seen", effect: deny }
`;

describe('names that a rule hides', () => {
  const sandbox = useSandbox();
  // Outside these names are there to be changed.
  beforeEach(() => {
    sandbox.write('vault/key', 'SECRET\n');
    sandbox.write('token', 'SECRET\n');
    sandbox.write('seen', 'SECRET\n');
  });
  beforeAll(() => {
    sandbox.write('plain', 'ordinary\n');
    symlinkSync('token', join(sandbox.project, 'link'));
    mkdirSync(join(sandbox.project, 'many'));
    for (let index = 0; index < 3000; index++)
      writeFileSync(join(sandbox.project, 'many', `${index}-${index % 2 ? 'odd' : 'even'}`), '');
    mkdirSync(join(sandbox.project, 'all'));
  });
  const run = (argv: readonly string[]) => inside(sandbox, argv, { policy: POLICY });

  const looks: readonly [string, string][] = [
    ['stat', 'os.stat(path)'],
    ['lstat', 'os.lstat(path)'],
    ['access', 'print(os.access(path, os.F_OK)) or os.stat(path)'],
    ['readlink', 'os.readlink(path)'],
    ['open', 'open(path)'],
    ['listdir', 'os.listdir(path)'],
    ['chmod', 'os.chmod(path, 0o700)'],
    ['utime', 'os.utime(path)'],
    ['truncate', 'os.truncate(path, 0)'],
    ['stat by a descriptor of the directory', 'os.stat(path, dir_fd=os.open(".", os.O_RDONLY))'],
    ['stat through a link', 'os.stat("link") if path == "token" else os.stat(path)'],
    ['stat of another spelling', 'os.stat("./many/../" + path)'],
    ['stat through procfs', 'os.stat("/proc/self/cwd/" + path)'],
  ];
  it.each(looks)('are not there: %s', async (_name, call) => {
    const script = `import os, sys, errno
for path in ("token", "vault", "vault/key", "nothing"):
    try:
        ${call}
        print(path, "is there")
    except OSError as e:
        print(path, errno.errorcode[e.errno])`;
    expect((await outside(sandbox, ['python3', '-c', script])).stdout).not.toMatch(/^vault\/key ENOENT/m);
    const { stdout } = await run(['python3', '-c', script]);
    const named = stdout.split('\n').filter((line) => / (E|is there)/.test(line));
    expect(named).toEqual(['token ENOENT', 'vault ENOENT', 'vault/key ENOENT', 'nothing ENOENT']);
  });

  it('are in no listing, however long, and nothing else is missing', async () => {
    const script =
      'ls -a1; ls -1 many | sort; find . -name "*odd" -o -name key -o -name token; node -p "fs.readdirSync(\'many\').length"';
    const { stdout } = await run(['sh', '-c', script]);
    const lines = stdout.trim().split('\n');
    const evens = Array.from({ length: 1500 }, (_, index) => `${2 * index}-even`).sort();
    expect(lines.slice(0, 7)).toEqual(['.', '..', 'all', 'link', 'many', 'plain', 'seen']);
    expect(lines.slice(7, -1).sort()).toEqual(evens);
    expect(lines.at(-1)).toBe('1500');
  });

  it('cannot be made, and leave a receipt when they are opened', async () => {
    const { stdout, receipts } = await run(['sh', '-c', '(: > token) 2>&1; cat token 2>&1; [ -e token ] || echo none']);
    expect(stdout).toMatch(/cannot create token: Permission denied[\s\S]*cat: token: No such file or directory\nnone/);
    expect(denials(receipts)).toContainEqual(
      expect.objectContaining({ action: 'file_read', target: join(sandbox.project, 'token') }),
    );
  });

  it('are told apart from names that are only denied', async () => {
    const { stdout } = await run(['sh', '-c', 'cat seen 2>&1 | grep -v ^gatekeeper:; [ -e seen ] && echo there']);
    expect(stdout).toBe('cat: seen: Permission denied\nthere\n');
  });

  it('are as visible as ever in a simulated run', async () => {
    const { stdout } = await inside(sandbox, ['sh', '-c', 'ls token; cat token'], {
      policy: POLICY,
      options: ['--simulate'],
    });
    expect(stdout).toBe('token\nSECRET\n');
  });

  it('leave every other look as it is', async () => {
    sandbox.write('look.py', LOOKS);
    const argv = ['python3', 'look.py'];
    const bare = await outside(sandbox, argv);
    expect(bare.stdout.split('\n').length).toBeGreaterThan(40);
    expect(await run(argv)).toMatchObject(bare);
  });
});

/** What the kernel says of all kinds of objects, by every call that looks; times of reading and numbers of processes apart. */
const LOOKS = `
import ctypes, os, socket, stat, errno
libc = ctypes.CDLL(None, use_errno=True)
def show(name, call):
    try:
        got = call()
        if isinstance(got, os.stat_result):
            got = got.st_mode if "proc" in name or ".." in name or name.endswith(" /") else [got.st_mode, got.st_ino, got.st_nlink, got.st_uid, got.st_size, got.st_mtime_ns, got.st_blocks, got.st_rdev, got.st_dev]
        print(name, got)
    except OSError as e:
        print(name, errno.errorcode[e.errno])
if not os.path.exists("fifo"):
    os.mkfifo("fifo"); os.symlink("nowhere", "dangling"); os.symlink(".", "here"); os.symlink("loop", "loop")
for path in ["plain", "fifo", "dangling", "here", "here/plain", "loop", "plain/", "here/", "", "nothing/x", "plain/x", ".", "..", "/", "/dev/null",
             "/dev/tty", "/usr/bin/env", "/etc/hostname", "x" * 300, "/proc/self/exe", "/proc/self/cwd", "many", "all"]:
    show("stat " + path, lambda: os.stat(path))
    show("lstat " + path, lambda: os.lstat(path))
    show("readlink " + path, lambda: os.readlink(path))
    for mode in (os.F_OK, os.R_OK, os.W_OK, os.X_OK):
        show("access " + path, lambda: os.access(path, mode))
here = os.open(".", os.O_RDONLY); plain = os.open("plain", os.O_RDONLY); name = os.open("plain", os.O_PATH)
show("by directory", lambda: os.stat("plain", dir_fd=here))
show("by no directory", lambda: os.stat("plain", dir_fd=plain))
show("by closed", lambda: os.stat("plain", dir_fd=99))
show("no follow", lambda: os.stat("here", dir_fd=here, follow_symlinks=False))
buffer = ctypes.create_string_buffer(4096)
AT_EMPTY, AT_FDCWD = 0x1000, -100
def raw(number, *args):
    got = libc.syscall(number, *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    if got < 0: raise OSError(ctypes.get_errno(), "")
    return got
for fd in (here, plain, name, 0, 99, AT_FDCWD):
    show(f"empty path {'tty' if fd == 0 else fd}", lambda: raw(262, fd, b"", buffer, AT_EMPTY) if fd else None)
    show("null path", lambda: raw(262, fd, 0, buffer, AT_EMPTY) if fd else None)
    show("statx empty", lambda: raw(332, fd, b"", AT_EMPTY, 0x7ff, buffer) if fd else None)
    show("faccessat2 empty", lambda: raw(439, fd, b"", 0, AT_EMPTY) if fd else None)
    show("readlinkat empty", lambda: raw(267, fd, b"", buffer, 100))
show("bad flags", lambda: raw(262, AT_FDCWD, b"plain", buffer, 0x80))
show("bad statx flags", lambda: raw(332, AT_FDCWD, b"plain", 0x6000, 0x7ff, buffer))
show("bad mode", lambda: raw(439, AT_FDCWD, b"plain", 8, 0))
show("bad access flags", lambda: raw(439, AT_FDCWD, b"plain", 0, 0x8000))
show("stat to nowhere", lambda: raw(4, b"plain", 8))
show("stat of nowhere", lambda: raw(4, 8, buffer))
show("statx to nowhere", lambda: raw(332, AT_FDCWD, b"plain", 0, 0x7ff, 8))
show("readlink to nowhere", lambda: raw(89, b"here", 8, 10))
show("readlink no room", lambda: raw(89, b"here", buffer, 0))
show("readlink short", lambda: raw(89, b"dangling", buffer, 3))
for number in (78, 217):
    fd = os.open("many", os.O_RDONLY)
    show("list no room", lambda: raw(number, fd, buffer, 1))
    show("list a file", lambda: raw(number, plain, buffer, 4096))
    show("list by name only", lambda: raw(number, name, buffer, 4096))
    show("list to nowhere", lambda: raw(number, os.open("all", os.O_RDONLY), 8, 4096))
`;
