import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { denials, inside, outside } from '../support/run-inside.ts';
import { GATEKEEPER, type Sandbox, useSandbox } from '../support/sandbox.ts';

const PACKAGE = join(dirname(GATEKEEPER), '../..');
const NAMES = ['LD_PRELOAD', 'NODE_OPTIONS', 'GATEKEEPER_HOOK'] as const;
type Name = (typeof NAMES)[number];

/** Programs that print these variables, each in its own way. */
const PRINTERS: Readonly<Record<string, readonly string[]>> = {
  sh: ['sh', '-c', NAMES.map((name) => `echo "${name}=$${name}"`).join('; ')],
  env: ['env'],
  bash: ['bash', '-c', 'env'],
  python: ['python3', '-c', 'import os\nfor n, v in os.environ.items(): print(n + "=" + v)'],
  node: ['node', '-e', 'for (const [n, v] of Object.entries(process.env)) console.log(n + "=" + v)'],
  'a child of a child': [
    'python3',
    '-c',
    `import subprocess; subprocess.run(["node", "-e", "child_process.execFileSync('env', { stdio: 'inherit' })"])`,
  ],
};

/** What the output says of them. */
function variables(output: string): Partial<Record<Name, string>> {
  const lines = output.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
  return Object.fromEntries(lines.filter(([name]) => NAMES.includes(name as Name)));
}

const shelf = ({ layout }: Sandbox): string => {
  const names = readdirSync(layout.hooks);
  expect(names).toHaveLength(1);
  return join(layout.hooks, names[0]!);
};
const policy = (...lines: string[]) => ['version: 1', 'name: delivery', 'extends: [default]', ...lines, ''].join('\n');
/** The first run of a sandbox says that the daemon is started. */
const withoutStart = (stderr: string) => stderr.replace('gatekeeper: starting the daemon\n', '');

describe('the environment of a run', () => {
  const sandbox = useSandbox();

  it.each(Object.entries(PRINTERS))('tells %s what to load', async (_name, argv) => {
    const { stdout, stderr } = await inside(sandbox, argv, { hooks: 'on' });
    const directory = shelf(sandbox);
    expect(withoutStart(stderr)).toBe('');
    expect(variables(stdout)).toEqual({
      LD_PRELOAD: `${directory}/libgk-hook.so`,
      NODE_OPTIONS: `--require=${directory}/gatekeeper-hook.cjs`,
      GATEKEEPER_HOOK: expect.stringMatching(new RegExp(`^[a-z]*:${sandbox.layout.images}/[0-9a-f]{64}\\.gkimg$`)),
    });
  });

  it('keeps what the user loads behind it, and does not grow from process to process', async () => {
    const own = compileLibrary(sandbox);
    const env = { LD_PRELOAD: own, NODE_OPTIONS: '--no-warnings --title="a b"' };
    const bare = await outside(sandbox, PRINTERS['node']!, { env });
    expect(variables(bare.stdout)).toEqual(env);
    for (const argv of [PRINTERS['node']!, PRINTERS['a child of a child']!]) {
      const { stdout, stderr } = await inside(sandbox, argv, { env, hooks: 'on' });
      const directory = shelf(sandbox);
      expect(variables(stdout)).toMatchObject({
        LD_PRELOAD: `${directory}/libgk-hook.so:${own}`,
        NODE_OPTIONS: `--require=${directory}/gatekeeper-hook.cjs --no-warnings --title="a b"`,
      });
      expect(stderr).toBe('');
    }
  });

  it('leaves out what the policy drops of it, and loads the hooks all the same', async () => {
    const own = compileLibrary(sandbox);
    const env = { LD_PRELOAD: own, NODE_OPTIONS: '--no-warnings' };
    const { stdout } = await inside(sandbox, ['env'], {
      env,
      hooks: 'on',
      policy: policy('env: { drop: [LD_PRELOAD, NODE_OPTIONS, "GATEKEEPER_*"] }'),
    });
    const directory = shelf(sandbox);
    expect(variables(stdout)).toMatchObject({
      LD_PRELOAD: `${directory}/libgk-hook.so`,
      NODE_OPTIONS: `--require=${directory}/gatekeeper-hook.cjs`,
      GATEKEEPER_HOOK: expect.stringContaining('.gkimg'),
    });
  });

  it('is as it was without hooks', async () => {
    const env = { NODE_OPTIONS: '--no-warnings' };
    const { stdout, stderr } = await inside(sandbox, ['env'], { env, hooks: 'off', options: ['--verbose'] });
    expect(variables(stdout)).toEqual(env);
    expect(stdout).toMatch(/^GATEKEEPER_RUN=/m);
    expect(stderr).toMatch(/^gatekeeper: hooks: none, as asked$/m);
  });

  it.each([
    ['quiet', ['--quiet-hook'], policy(), /^[df]*q:/],
    [
      'hidden names',
      [],
      policy('policies:', '  - { action: file_read, rules: [{ path: "**/*.hidden", effect: deny, hide: true }] }'),
      /^h:/,
    ],
    ['a simulation, where no hint holds', ['--simulate'], policy(), /^:/],
  ])('tells the hooks of %s', async (_what, options, text, wanted) => {
    const { stdout } = await inside(sandbox, ['env'], { options, policy: text, hooks: 'on' });
    expect(variables(stdout).GATEKEEPER_HOOK).toMatch(wanted);
  });

  it('is told by --verbose', async () => {
    const { stderr } = await inside(sandbox, ['true'], { options: ['--verbose'], hooks: 'on' });
    expect(stderr).toMatch(/^gatekeeper: hooks: library and Node interceptor$/m);
  });
});

describe('programs of a run', () => {
  const sandbox = useSandbox();

  it.each([
    ['true', ['true']],
    ['a shell that starts others', ['bash', '-c', 'true; /bin/true | cat; (sh -c true)']],
    ['python', ['python3', '-c', 'import subprocess; subprocess.run(["true"])']],
    [
      'node',
      [
        'node',
        '-e',
        'require("child_process").execFileSync("true"); new (require("worker_threads").Worker)("1", { eval: true })',
      ],
    ],
    ['git', ['git', '--version']],
    ['a static program', ['./static']],
    ['a program without a library of C', ['./bare']],
    ['one that is given nothing', ['env', '-i', '/bin/true']],
  ])('print nothing of their own accord: %s', async (_name, argv) => {
    sandbox.write('static.c', 'int main(void) { return 0; }\n');
    sandbox.write('bare.c', 'void _start(void) { __asm__("xor %edi, %edi; mov $231, %eax; syscall"); }\n');
    execFileSync('gcc', ['-static', '-o', 'static', 'static.c'], { cwd: sandbox.project });
    execFileSync('gcc', ['-nostdlib', '-static', '-o', 'bare', 'bare.c'], { cwd: sandbox.project });
    const { status, stderr, receipts } = await inside(sandbox, argv, { hooks: 'on' });
    expect([status, withoutStart(stderr)]).toEqual([0, '']);
    expect(denials(receipts)).toEqual([]);
  });

  it.each([
    ['by env -i', ['env', '-i', '/bin/cat', '.env']],
    ['by the shell', ['sh', '-c', 'unset LD_PRELOAD; cat .env']],
    ['by a list of its own', ['python3', '-c', 'import os; os.execve("/bin/cat", ["cat", ".env"], {})']],
    ['for Node', ['env', '-u', 'NODE_OPTIONS', '-u', 'LD_PRELOAD', 'node', '-e', 'fs.readFileSync(".env")']],
    ['by the loader', ['sh', '-c', 'LD_PRELOAD= cat .env']],
  ])('whose hooks are taken away %s are judged alike, and recorded', async (_how, argv) => {
    sandbox.write('.env', 'SECRET=1\n');
    const { status, stdout, stderr, receipts } = await inside(sandbox, argv, { hooks: 'on' });
    expect([status === 0, stdout]).toEqual([false, '']);
    expect(stderr).toMatch(/Permission denied|EACCES/);
    expect(denials(receipts)).toMatchObject([{ action: 'file_read', target: join(sandbox.project, '.env') }]);
  });

  it('load the hooks where the policy hides the place that they lie in', async () => {
    const hidden = policy(
      'policies:',
      '  - action: file_read',
      '    rules:',
      `      - { path: "${sandbox.root}/home/**", effect: deny, hide: true }`,
    );
    const script =
      'node -p "process.env.NODE_OPTIONS !== undefined"; grep -c gk-hook /proc/self/maps >/dev/null && echo loaded; ls "$(dirname "$LD_PRELOAD")"';
    const { stdout, stderr } = await inside(sandbox, ['sh', '-c', script], { policy: hidden, hooks: 'on' });
    expect(stdout).toBe('true\nloaded\n');
    expect(stderr).not.toMatch(/ld\.so|preload|Cannot find/);
  });
});

describe('a store of hooks', () => {
  const sandbox = useSandbox();
  const loaded = ['sh', '-c', 'grep -c libgk-hook /proc/self/maps >/dev/null && echo loaded'];

  it('is mended before the next run when it was damaged', async () => {
    expect((await inside(sandbox, loaded, { hooks: 'on' })).stdout).toBe('loaded\n');
    const library = join(shelf(sandbox), 'libgk-hook.so');
    const good = readFileSync(library);
    for (const damage of [() => writeFileSync(library, 'no library'), () => rmSync(library)]) {
      chmodSync(dirname(library), 0o700);
      chmodSync(library, 0o700);
      damage();
      const { stdout, stderr } = await inside(sandbox, loaded, { hooks: 'on' });
      expect([stdout, stderr]).toEqual(['loaded\n', '']);
      expect(readFileSync(library)).toEqual(good);
    }
  });

  it('is looked at by the doctor', async () => {
    await inside(sandbox, ['true'], { hooks: 'on' });
    const found = async () => {
      const { stdout } = await sandbox.gatekeeper(['doctor', '--static', '--json']);
      const { checks } = JSON.parse(stdout) as { checks: { name: string; ok: boolean; detail: string }[] };
      return checks.filter(({ name }) => name.startsWith('hooks')).map(({ ok, detail }) => [ok, detail]);
    };
    expect(await found()).toEqual([
      [true, 'as they were built'],
      [true, 'unharmed, or not there yet'],
    ]);
    const library = join(shelf(sandbox), 'libgk-hook.so');
    chmodSync(library, 0o700);
    writeFileSync(library, 'no library');
    expect((await found())[1]).toEqual([false, `damaged: ${basename(shelf(sandbox))}`]);
  });

  it('keeps the directory that the next run gets, and no older one', async () => {
    const { hooks } = sandbox.layout;
    await inside(sandbox, ['true'], { hooks: 'on' });
    const older = join(hooks, '0123456789abcdef');
    mkdirSync(older, { mode: 0o500 });
    await inside(sandbox, ['true'], { hooks: 'on' });
    await expect.poll(() => readdirSync(hooks), { timeout: 20_000 }).not.toContain('0123456789abcdef');
    expect(readdirSync(shelf(sandbox))).toContain('libgk-hook.so');
  });
});

describe('a state directory with a blank in its name', () => {
  const sandbox = useSandbox();

  it('gives a run all but the library, and says so', async () => {
    const home = join(sandbox.root, 'a b');
    const env = { GATEKEEPER_HOME: home };
    try {
      const run = await sandbox.gatekeeper(['run', '--', 'sh', '-c', 'node -p 1; env'], { env });
      expect(run.status).toBe(0);
      expect(withoutStart(run.stderr)).toMatch(
        /^gatekeeper: hooks are left out, [^\n]*libgk-hook\.so[^\n]*LD_PRELOAD[^\n]*\n$/,
      );
      expect(run.stdout).toMatch(/^1\n/);
      const found = variables(run.stdout);
      expect(found.LD_PRELOAD).toBeUndefined();
      expect(found.NODE_OPTIONS).toMatch(/^"--require=.*\/a b\/state\/hooks\/.*"$/);
    } finally {
      await sandbox.gatekeeper(['daemon', 'stop'], { env });
    }
  });
});

describe('an installation that lacks files', () => {
  const sandbox = useSandbox();

  it('runs with what it has, and says once what is missing', async () => {
    const installed = join(sandbox.root, 'installed');
    for (const part of ['dist', 'policies', 'package.json', 'native-hooks/build/gk-supervise']) {
      mkdirSync(dirname(join(installed, part)), { recursive: true });
      cpSync(join(PACKAGE, part), join(installed, part), { recursive: true });
    }
    symlinkSync(join(PACKAGE, 'node_modules'), join(installed, 'node_modules'));
    rmSync(join(installed, 'dist/node-hook'), { recursive: true });
    const run = await outside(
      sandbox,
      [process.execPath, join(installed, 'dist/cli/gatekeeper.cjs'), 'run', '--', 'env'],
      { env: sandbox.env },
    );
    expect(run.status).toBe(0);
    expect(variables(run.stdout)).toEqual({});
    expect(withoutStart(run.stderr)).toMatch(
      /^gatekeeper: hooks are left out, [^\n]*libgk-hook\.so is missing; build it[^\n]*gatekeeper-hook\.cjs is missing[^\n]*\n$/,
    );
  });
});

/** One of the user's own, which does nothing. */
function compileLibrary(sandbox: Sandbox): string {
  const target = join(sandbox.project, 'own.so');
  sandbox.write('own.c', 'int own_library_of_the_user;\n');
  execFileSync('gcc', ['-shared', '-fPIC', '-o', target, join(sandbox.project, 'own.c')]);
  return target;
}
