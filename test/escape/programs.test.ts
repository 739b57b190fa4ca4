import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { denials, inside, outside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';
import { type Fixture, openFixture, saveAtomically } from './fixture.ts';

describe('a secret of the project', () => {
  const sandbox = useSandbox();
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await openFixture(sandbox);
  });
  afterAll(() => fixture?.close());

  const ways: readonly [string, () => string[]][] = [
    ['cat', () => ['cat', '.env']],
    ['a program without a C library', () => [fixture.nolibc, '.env']],
    ['an empty environment', () => ['env', '-i', '/bin/cat', '.env']],
    ['python3', () => ['python3', '-c', 'print(open(".env").read())']],
    ['node', () => ['node', '-e', 'console.log(require("fs").readFileSync(".env", "utf8"))']],
    [
      'a Node worker without hooks',
      () => [
        'node',
        '-e',
        "new (require(\"worker_threads\").Worker)(\"console.log(require('fs').readFileSync('.env','utf8'))\",{eval:true,execArgv:[],env:{}})",
      ],
    ],
    ['a shell redirection', () => ['sh', '-c', 'while read -r l; do echo "$l"; done < .env']],
    ['bash reading it as a script', () => ['bash', '-c', 'source ./.env; echo "$SECRET"; cat $HOME/nothing ./.env']],
    ['tar', () => ['sh', '-c', 'tar cf - .env | strings']],
    ['cp and then cat', () => ['sh', '-c', 'cp .env copy; cat copy']],
    [
      'git hashing it',
      () => ['sh', '-c', 'git init -q . ; git hash-object -w .env; git cat-file -p $(git hash-object .env)'],
    ],
    ['the loader as a trampoline', () => ['/lib64/ld-linux-x86-64.so.2', '/bin/cat', '.env']],
    ['perl by raw system call', () => ['perl', '-e', 'open(F, "<", ".env"); print <F>']],
    ['a curl of a file URL', () => ['sh', '-c', 'curl -s "file://$PWD/.env"']],
  ];
  it.each(ways)('is read by %s outside and not inside', async (_name, argv) => {
    fixture.lay();
    expect((await outside(sandbox, argv())).stdout).toMatch(/SECRET|swordfish/);
    fixture.lay();
    const result = await inside(sandbox, argv(), { policy: 'default' });
    expect(result.stdout + result.stderr).not.toMatch(/swordfish/);
    expect(denials(result.receipts).length).toBeGreaterThan(0);
  });

  it('stays denied when it is created after the start', async () => {
    fixture.lay();
    const result = await inside(sandbox, ['sh', '-c', 'mkdir sub; echo mine > sub/.env; cat sub/.env; ls -A sub']);
    expect(result.stdout).not.toContain('mine');
  });

  it('stays denied when an editor outside saves it anew during the run', async () => {
    fixture.lay();
    const secret = join(sandbox.project, '.env');
    const script =
      'touch started; for i in $(seq 200); do cat .env 2>/dev/null; [ -e saved ] && break; sleep 0.05; done; cat .env';
    const run = inside(sandbox, ['sh', '-c', script]);
    while (!existsSync(join(sandbox.project, 'started'))) await new Promise((done) => setTimeout(done, 20));
    saveAtomically(secret, 'SECRET=new-swordfish\n');
    sandbox.write('saved', '');
    const result = await run;
    expect(result.stdout).not.toContain('swordfish');
    expect(readFileSync(secret, 'utf8')).toContain('new-swordfish');
  });

  it('is not left behind by descriptors that the caller had open', async () => {
    fixture.lay();
    chmodSync(join(sandbox.project, '.env'), 0o600);
    const gatekeeper = `exec 7<.env 8</; "$@" sh -c 'cat <&7; cat /proc/self/fd/8/etc/shadow; ls -l /proc/self/fd | wc -l'`;
    const result = await outsideWithGatekeeper(gatekeeper);
    expect(result).not.toContain('swordfish');
    expect(result).not.toContain('root:x:');
  });

  function outsideWithGatekeeper(script: string): Promise<string> {
    return new Promise((done) => {
      const argv = [
        'bash',
        '-c',
        script,
        'bash',
        process.execPath,
        join(import.meta.dirname, '../../dist/cli/gatekeeper.cjs'),
        'run',
        '--',
      ];
      const child = spawn(argv[0]!, argv.slice(1), { cwd: sandbox.project, env: { ...process.env, ...sandbox.env } });
      let text = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
      child.on('close', () => done(text));
    });
  }
});

describe('a program', () => {
  const sandbox = useSandbox();

  it('finds the variables that its user had set as they were', async () => {
    const env = {
      LD_PRELOAD: '',
      LD_LIBRARY_PATH: '/nonexistent',
      NODE_OPTIONS: '--no-warnings',
      PYTHONSTARTUP: '/x y',
      EMPTY: '',
    };
    const script = Object.keys(env)
      .map((name) => `printf '%s=%s\\n' ${name} "$${name}"`)
      .join(';');
    const result = await inside(sandbox, ['sh', '-c', script], { env, hooks: 'off' });
    expect(result.stdout).toBe(
      Object.entries(env)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
  });
});
