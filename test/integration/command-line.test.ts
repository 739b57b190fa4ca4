import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../src/core/audit/record.ts';
import { ordinaryAccount } from '../support/account.ts';
import { denials, inside, outside } from '../support/run-inside.ts';
import { GATEKEEPER, useSandbox } from '../support/sandbox.ts';

const accounts = [
  { who: 'the account of the tests', user: undefined },
  ...[ordinaryAccount()].filter((user) => user !== undefined).map((user) => ({ who: user.name, user })),
];

describe.each(accounts)('gatekeeper as $who', ({ user }) => {
  const sandbox = useSandbox({ user });
  const sh = (script: string) => ['bash', '-c', script];

  it.each([
    ['the status of the command', 'exit 7', 7],
    ['success', 'true', 0],
    ['128+n for a signal', 'kill -TERM $$', 143],
    ['128+n for SIGKILL', 'kill -KILL $$', 137],
  ])('run exits with %s', async (_name, script, status) => {
    expect((await inside(sandbox, sh(script))).status).toBe(status);
  });

  it('run exits with 127 when there is no such command', async () => {
    const { status, stderr } = await inside(sandbox, ['no-such-command']);
    expect(status).toBe(127);
    expect(stderr).toMatch(/gatekeeper: no-such-command: command not found\n$/);
  });

  it('gives a text without #! to the shell, as shells do, and refuses what is no text', async () => {
    chmodSync(sandbox.write('plain', 'echo "$0" "$#" "$2"\n'), 0o755);
    chmodSync(sandbox.write('junk', new Uint8Array([0x7f, 0, 1, 2])), 0o755);
    const { stdout, status } = await inside(sandbox, ['./plain', 'a', 'b c']);
    expect([stdout, status]).toEqual(['./plain 2 b c\n', 0]);
    expect((await inside(sandbox, ['./junk'])).status).toBe(126);
  });

  it('shows of another process of the run what ps shows, and its memory to nobody who does not trace it', async () => {
    const script = `sleep 30 & sleep 0.2; cd /proc/$!; cat comm; ls fd | grep -cx 0
for name in mem maps environ auxv fd/0 cwd/. root/etc/hostname; do cat $name >/dev/null 2>&1 || test -d $name -a $name = cwd/. || echo refused; done; kill $!`;
    const { stdout } = await inside(sandbox, sh(script));
    expect(stdout.split('\n').filter((line) => line !== '')).toEqual(['sleep', '1', ...Array(6).fill('refused')]);
  });

  it('says only when asked that capabilities were dropped, where standard error is no terminal', async () => {
    const { stderr } = await inside(sandbox, ['true'], { options: ['--verbose'] });
    expect(/capabilities dropped/.test(stderr)).toBe(user === undefined && process.getuid!() === 0);
    expect((await inside(sandbox, ['true'])).stderr).toBe('');
  });

  it('names a home that cannot be made, rather than trying for ever', async () => {
    const env = { GATEKEEPER_HOME: '/proc/nope' };
    for (const args of [
      ['run', '--', 'true'],
      ['daemon', 'start'],
      ['net', 'allow', 'example.com'],
    ]) {
      const { status, stderr } = await sandbox.gatekeeper(args, { env, timeoutMs: 10_000 });
      expect(stderr).toMatch(
        /^gatekeeper: .*ENOENT.*\(\/proc\/nope\/.*\); .*\n$|^gatekeeper: the policy file could not be changed \(\/proc\/nope\/.*\n$/,
      );
      expect(status).toBeLessThan(126);
    }
  });

  it('refuses a working directory whose name is not UTF-8, whose policy it would not find', async () => {
    const script = String.raw`mkdir -p $'odd\xff' && cd $'odd\xff' && "$0" "$1" run -- true`;
    const { status, stderr } = await outside(sandbox, [...sh(script), process.execPath, GATEKEEPER], {
      env: sandbox.env,
    });
    expect([status, stderr]).toEqual([
      2,
      'gatekeeper: the name of the working directory is not valid UTF-8; rename it, or change to another\n',
    ]);
  });

  it('says in one line that its output is lost when the disk is full', async () => {
    const script = '"$0" "$1" ps >/dev/full';
    const { status, stderr } = await outside(sandbox, [...sh(script), process.execPath, GATEKEEPER], {
      env: sandbox.env,
    });
    expect(stderr).toBe(
      'gatekeeper: standard output cannot be written (ENOSPC); make room, or send the output elsewhere\n',
    );
    expect(status).toBe(1);
  });

  it('run exits with 125 and one line for a policy with a typing error, and starts nothing', async () => {
    const { status, stderr, stdout, run } = await inside(sandbox, ['echo', 'started'], {
      policy: 'version: 1\nname: x\npolicies:\n  - action: file_raed\n',
    });
    expect([status, stdout, run]).toEqual([125, '', undefined]);
    expect(stderr).toMatch(/^gatekeeper: unknown action "file_raed".* \(.*\.yaml:4:13\); .*gatekeeper policy check\n$/);
  });

  it('passes standard input, output and error through, as pipes', async () => {
    const { stdout, stderr } = await inside(sandbox, sh('cat; echo err >&2'), { input: 'from outside\n' });
    expect(stdout).toBe('from outside\n');
    expect(stderr).toMatch(/(^|\n)err\n$/);
  });

  it('ends in silence when its reader goes away', async () => {
    const { stdout, stderr, status } = await outside(
      sandbox,
      sh('"$0" "$1" run -- yes | head -1; exit $PIPESTATUS').concat(process.execPath, GATEKEEPER),
      { env: sandbox.env },
    );
    expect(stdout).toBe('y\n');
    expect(stderr).toBe('');
    expect(status).toBe(141);
  });

  it('leaves what the policy allows as it is, refuses the rest, and says so in the log', async () => {
    sandbox.write('README.md', 'first line\n');
    sandbox.write('.env', 'SECRET=1\n');
    const { stdout, stderr, receipts } = await inside(
      sandbox,
      sh('head -1 README.md; cat .env; mkdir src; echo x > src/a; rm src/a; rmdir src'),
    );
    expect(stdout).toBe('first line\n');
    expect(stderr.replace('gatekeeper: starting the daemon\n', '')).toMatch(
      /^(gatekeeper: denied file_read \S+\/\.env: secrets stay here .*\n)?cat: \.env: Permission denied\n$/,
    );
    expect(denials(receipts)).toEqual([
      expect.objectContaining({
        action: 'file_read',
        target: join(sandbox.project, '.env'),
        source: 'rule',
        reason: 'secrets stay here',
      }),
    ]);
    expect(receipts.at(-1)).toMatchObject({ action: 'run_end' });
  });

  it('lets everything happen under --simulate and records what would have been denied', async () => {
    sandbox.write('.env', 'SECRET=1\n');
    const { stdout, receipts } = await inside(sandbox, ['cat', '.env'], { options: ['--simulate'] });
    expect(stdout).toBe('SECRET=1\n');
    expect(receipts.filter(({ verdict }) => verdict === 'would-deny')).toHaveLength(1);
  });

  it('forwards a signal that only the command line gets, and waits for the end', async () => {
    // The run itself says when it is ready.
    const piped = `coproc RUN { exec "$0" "$1" run -- bash -c 'trap "echo caught; exit 3" TERM; echo ready; while :; do sleep 0.1; done'; }; pid=$RUN_PID; read -r line <&"\${RUN[0]}"; echo "$line"; kill -TERM "$pid"; cat <&"\${RUN[0]}"; wait "$pid"; echo "status $?"`;
    const { stdout } = await outside(sandbox, ['bash', '-c', piped, process.execPath, GATEKEEPER], {
      env: sandbox.env,
      timeoutMs: 30_000,
    });
    expect(stdout).toBe('ready\ncaught\nstatus 3\n');
  });

  it('ps and kill find a run by name', async () => {
    const running = inside(sandbox, ['sleep', '60'], { options: [] });
    let listed: { name: string; state: string; argv: string[] }[] = [];
    for (let tries = 0; tries < 200 && !listed.some(({ state }) => state === 'running'); tries++) {
      listed = JSON.parse((await sandbox.gatekeeper(['ps', '--json'])).stdout);
    }
    const run = listed.find(({ argv }) => argv[0] === 'sleep');
    expect(run).toMatchObject({ state: 'running', argv: ['sleep', '60'] });
    expect((await sandbox.gatekeeper(['kill', run!.name])).stdout).toMatch(/^killed /);
    expect((await running).status).not.toBe(0);
    expect((await sandbox.gatekeeper(['ps'])).stdout).toBe('No runs are going on.\n');
  });

  it('policy explain says why, by exit status as well', async () => {
    const denied = await sandbox.gatekeeper(['policy', 'explain', 'file_read', '.env', '--json']);
    expect(denied.status).toBe(1);
    expect(JSON.parse(denied.stdout)).toMatchObject({
      verdict: 'deny',
      winner: { pattern: '**/.env', effect: 'deny' },
    });
    expect((await sandbox.gatekeeper(['policy', 'explain', 'file_read', 'README.md'])).status).toBe(0);
  });

  it('net allow changes what holds, keeps comments, and net remove takes it back', async () => {
    const file = join(sandbox.home, 'config', 'policy.yaml');
    expect((await sandbox.gatekeeper(['net', 'allow', 'example.com:443'])).status).toBe(0);
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, before.replace('version: 1', '# mine\nversion: 1 # one'));
    expect((await sandbox.gatekeeper(['net', 'allow', 'example.org'])).status).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain('# mine\nversion: 1 # one');
    expect((await sandbox.gatekeeper(['policy', 'explain', 'network', 'example.com'])).status).toBe(0);
    expect((await sandbox.gatekeeper(['net', 'remove', 'example.com:443'])).status).toBe(0);
    expect((await sandbox.gatekeeper(['policy', 'explain', 'network', 'example.com'])).status).toBe(1);
  });

  it('the doctor finds a machine that enforces', async () => {
    const { status, stdout } = await sandbox.gatekeeper(['doctor', '--json']);
    const { checks } = JSON.parse(stdout) as { checks: { layer: string; ok: boolean }[] };
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks.filter(({ layer }) => layer === 'run')).toHaveLength(8);
    expect(status).toBe(0);
  });

  it('audit verify counts what it checked, and names the entry that was changed', async () => {
    const { receipts } = await inside(sandbox, ['cat', '.env']);
    const denied = denials(receipts)[0] as AuditRecord;
    await sandbox.gatekeeper(['daemon', 'stop']);
    const good = await sandbox.gatekeeper(['audit', 'verify']);
    expect(good.status).toBe(0);
    expect(good.stdout).toMatch(/^verified: \d+ entries \(1 to \d+\) in 1 file, \d+ signatures\n +trusted +SHA256:/);
    const changed = changeOneByte(sandbox.layout.audit, denied);
    const bad = await sandbox.gatekeeper(['audit', 'verify']);
    expect(bad.status).toBe(1);
    expect(bad.stdout).toContain(`NOT verified: the first bad entry is ${denied.seq}\n`);
    expect(bad.stdout).toMatch(/wrong-hash/);
    changed.undo();
    expect((await sandbox.gatekeeper(['audit', 'verify'])).status).toBe(0);
  });
});

/** Turns the denial into a read of another file. */
function changeOneByte(directory: string, { seq }: AuditRecord): { undo: () => void } {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const text = readFileSync(path, 'utf8');
    const line = text.split('\n').find((entry) => entry.includes(`"seq":${seq},`));
    if (!line) continue;
    writeFileSync(path, text.replace(line, line.replace('/.env"', '/.enw"')));
    return { undo: () => writeFileSync(path, text) };
  }
  throw new Error(`no segment holds entry ${seq}`);
}
