import { execFileSync } from 'node:child_process';
import { readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { denials, inside, outside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';

/** Reads what it is told to, in each of the ways that a C library has, and says what came of it. */
const READER = `#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
	char text[8] = {0};
	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY);
		printf("%s %zd %s;", argv[i], fd < 0 ? -1 : read(fd, text, 4), fd < 0 ? strerror(errno) : text);
		FILE *stream = fopen(argv[i], "re");
		printf(" %s;", stream == NULL ? strerror(errno) : fgets(text, 5, stream) ? text : "");
		DIR *directory = opendir(argv[i]);
		printf(" %s\\n", directory == NULL ? strerror(errno) : readdir(directory)->d_name[0] ? "lists" : "");
		if (stream != NULL) fclose(stream);
		if (directory != NULL) closedir(directory);
		free(malloc(100));
	}
	return 0;
}
`;

/** Programs that a library in their memory might break: how each is compiled. */
const BUILDS: Readonly<Record<string, { compiler: string[]; explains: boolean }>> = {
  'the C library of the system': { compiler: ['gcc'], explains: true },
  'fortified calls': { compiler: ['gcc', '-O2', '-D_FORTIFY_SOURCE=2'], explains: true },
  'no dynamic loader': { compiler: ['gcc', '-static'], explains: false },
  'the address sanitizer': { compiler: ['gcc', '-fsanitize=address'], explains: true },
  'the address sanitizer inside': { compiler: ['gcc', '-fsanitize=address', '-static-libasan'], explains: true },
};

const musl = isThere('musl-gcc');
if (!musl) console.warn('skipped: programs of musl: there is no musl-gcc');

const STARTS: Readonly<Record<string, string[]>> = {
  'a thousand substitutions of bash': [
    'bash',
    '-c',
    'for i in {1..1000}; do x=$(echo $i); done; for i in {1..100}; do y=$(true; echo $i | cat); done; echo $x $y',
  ],
  'a shell in a shell': ['sh', '-c', 'sh -c "echo a; exit 3"; echo $?'],
  'subprocess of Python': [
    'python3',
    '-c',
    'import subprocess as s\nfor i in range(100): assert s.run(["sh","-c","echo a; echo b >&2; exit 3"],capture_output=True) == s.CompletedProcess(["sh","-c","echo a; echo b >&2; exit 3"],3,b"a\\n",b"b\\n")\nprint(s.run(["no-such-program"]) if 0 else "good")',
  ],
  'threads of Python that fork': [
    'python3',
    '-c',
    'import threading,subprocess\nt=[threading.Thread(target=lambda:[subprocess.run(["true"],check=True) for _ in range(10)]) for _ in range(8)]\n[x.start() for x in t];[x.join() for x in t];print("good")',
  ],
  'children of Node': [
    'node',
    '-e',
    'const c=require("child_process");console.log(c.execFileSync("sh",["-c","echo a"]).toString(),c.spawnSync("no-such-program").error.code)',
  ],
  'a walk through trees': ['find', '/usr/lib', '-maxdepth', '2', '-name', 'a*'],
  'words of another program': ['env', 'X=1', 'sh', '-c', 'echo "$0 $1 $X"', 'name', 'a b'],
};

describe('in a run that preloads the library', () => {
  const sandbox = useSandbox();
  const secret = () => join(realpathSync(sandbox.project), '.env');
  beforeAll(async () => {
    // That the daemon starts is said once.
    await inside(sandbox, ['true'], { policy: 'default' });
    sandbox.write('.env', 'SECRET\n');
    sandbox.write('plain', 'text\n');
    sandbox.write('reader.c', READER);
    sandbox.write('directory/file', 'x\n');
  });

  const compile = (name: string, [compiler, ...flags]: readonly string[]) => {
    const path = join(sandbox.project, name);
    execFileSync(compiler!, [...flags, '-w', '-o', path, join(sandbox.project, 'reader.c')]);
    return path;
  };
  const behavesAsOutside = async (name: string, compiler: readonly string[], explains: boolean) => {
    const reader = compile(name, compiler);
    const harmless = [reader, 'plain', 'none', 'plain/x', 'directory', '/usr', '/etc/none'];
    const bare = await outside(sandbox, harmless);
    const same = await inside(sandbox, harmless, { policy: 'default', hooks: 'on' });
    expect({ stdout: same.stdout, stderr: same.stderr, status: same.status }).toEqual(bare);
    expect((await outside(sandbox, [reader, '.env'])).stdout).toContain('SECR');
    const denied = await inside(sandbox, [reader, '.env'], { policy: 'default', hooks: 'on' });
    // What is no directory is none by whatever way it was asked for.
    expect(denied.stdout).toMatch(
      /^\.env -1 Permission denied; Permission denied; (Permission denied|Not a directory)\n$/,
    );
    expect(denied.stderr.split('\n').length - 1).toBe(explains ? 1 : 0);
    if (explains) expect(denied.stderr).toContain('gatekeeper: denied file_read ');
    expect(denials(denied.receipts).length).toBeGreaterThan(0);
  };

  it.each(Object.entries(BUILDS))('a program with %s behaves as outside', async (name, { compiler, explains }) => {
    await behavesAsOutside(name.replaceAll(' ', '-'), compiler, explains);
  });

  it.skipIf(!musl)('a program of musl behaves as outside', async () => {
    await behavesAsOutside('musl', ['musl-gcc'], true);
  });

  it.each(Object.entries(STARTS))('%s: output and status are those of outside', async (_name, argv) => {
    const bare = await outside(sandbox, argv);
    const { stdout, stderr, status } = await inside(sandbox, argv, { policy: 'default', hooks: 'on' });
    expect({ stdout, stderr, status }).toEqual(bare);
  });

  it('a refusal is explained once, and not when nobody wants to know', async () => {
    const argv = ['sh', '-c', 'cat .env .env'];
    const told = await inside(sandbox, argv, { policy: 'default', hooks: 'on' });
    expect(told.stderr.split('gatekeeper: denied').length - 1).toBe(1);
    expect(told.stderr).toContain(`denied file_read ${secret()}: secrets stay here (`);
    expect(told.stderr).toContain(
      `). Ask the user if you need it; they can see: gatekeeper policy explain file_read ${secret()}\n`,
    );
    for (const option of ['--quiet-hook', '--no-hooks']) {
      const quiet = await inside(sandbox, argv, { policy: 'default', hooks: 'on', options: [option] });
      expect(quiet.stderr).toBe('cat: .env: Permission denied\n'.repeat(2));
      expect(denials(quiet.receipts).length).toBeGreaterThan(0);
    }
  });

  it('wrappers that the user preloads come before it', async () => {
    sandbox.write(
      'wrapper.c',
      '#include <sys/stat.h>\n#include <unistd.h>\nint chmod(const char *p, mode_t m) { (void)p; (void)m; return write(1, "wrapped\\n", 8) == 8 ? 0 : -1; }\n',
    );
    const wrapper = join(sandbox.project, 'wrapper.so');
    execFileSync('gcc', ['-shared', '-fPIC', '-w', '-o', wrapper, join(sandbox.project, 'wrapper.c')]);
    const argv = [
      'python3',
      '-c',
      'import os; os.chmod("plain", 0o600); print(os.stat("plain").st_mode & 0o777 == 0o600)',
    ];
    const env = { LD_PRELOAD: wrapper };
    const bare = await outside(sandbox, argv, { env });
    expect(bare.stdout).toContain('wrapped');
    expect((await inside(sandbox, argv, { policy: 'default', hooks: 'on', env })).stdout).toBe(bare.stdout);
  });

  it('what the library is given is the run’s own', async () => {
    const { stdout } = await inside(sandbox, ['sh', '-c', 'echo $LD_PRELOAD; echo $GATEKEEPER_HOOK'], {
      policy: 'default',
      hooks: 'on',
    });
    const [preload, hook] = stdout.split('\n');
    expect(preload).toContain(join(sandbox.layout.hooks, readdirSync(sandbox.layout.hooks)[0]!, 'libgk-hook.so'));
    expect(hook).toMatch(/^[fdhqe]*:\/.*\.gkimg$/);
  });
});

function isThere(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
