import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, linkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HINTED, hintsPolicy as policy, UNHINTED } from '../support/hinted.ts';
import { denials, inside } from '../support/run-inside.ts';
import { GATEKEEPER, useSandbox } from '../support/sandbox.ts';

describe('an open that is hinted', () => {
  const sandbox = useSandbox();
  const lay = (): void => {
    sandbox.write('.env', 'SECRET\n');
    sandbox.write('open/plain', 'ordinary\n');
    rmSync(join(sandbox.project, 'open/twin'), { force: true });
    linkSync(join(sandbox.project, '.env'), join(sandbox.project, 'open/twin'));
  };
  const opened = async (argv: readonly string[], text: string, options: readonly string[] = []) => {
    lay();
    const { stdout, receipts } = await inside(sandbox, argv, { policy: text, options, hooks: 'on' });
    return { stdout, denied: denials(receipts).map(({ target }) => target) };
  };
  const env = (): string => join(sandbox.project, '.env');

  it('is answered by the kernel alone, which refuses what no hint may name', async () => {
    const { stdout, denied } = await opened([...HINTED, 'open/plain', '.env', 'open/', './'], policy());
    expect(stdout).toBe('open/plain read\n.env EACCES\nopen/ read\n./ EACCES\n');
    expect(denied).not.toContain(env());
  });

  it('differs in nothing but the receipt from one that the supervisor answers', async () => {
    const { stdout, denied } = await opened([...UNHINTED, 'open/plain', '.env', 'open/', './'], policy());
    expect(stdout).toBe('open/plain read\n.env EACCES\nopen/ read\n./ EACCES\n');
    expect(denied).toContain(env());
  });

  it('passes a filter that counts processes as well', async () => {
    const { stdout, denied } = await opened(
      [...HINTED, 'open/plain', '.env'],
      policy('', 'limits: { processes: 64 }\n'),
    );
    expect(stdout).toBe('open/plain read\n.env EACCES\n');
    expect(denied).not.toContain(env());
  });

  it.each([
    ['hinted', HINTED],
    ['not hinted', UNHINTED],
  ])('finds a file with several names readable where all is declared free of secrets: %s', async (_how, argv) => {
    expect((await opened([...argv, 'open/twin'], policy())).stdout).toBe('open/twin read\n');
  });

  it('finds what git was given as a draft, though no call came between', async () => {
    const script = `
import os
os.makedirs("open/a/.git/worktrees/b"); os.makedirs("open/b")
open("open/b/.git", "w").write("gitdir: ../a/.git/worktrees/b")
print(open("open/b/.git").read())`;
    rmSync(join(sandbox.project, 'open'), { recursive: true, force: true });
    const writing = `${policy()}  - action: file_write\n    rules:\n      - { path: "./open/**", effect: allow }\n`;
    expect((await opened(['python3', '-c', script], writing)).stdout).toBe('gitdir: ../a/.git/worktrees/b\n');
  });

  it('comes before the supervisor where files may not be hinted', async () => {
    const { stdout, denied } = await opened([...HINTED, 'open/twin', '.env'], 'default');
    expect(stdout).toBe('open/twin EACCES\n.env EACCES\n');
    expect(denied).toEqual(expect.arrayContaining([join(sandbox.project, 'open/twin'), env()]));
  });

  it('comes before the supervisor in a simulated run, which records it', async () => {
    lay();
    const { stdout, receipts } = await inside(sandbox, [...HINTED, '.env'], {
      policy: policy(),
      options: ['--simulate'],
      hooks: 'on',
    });
    expect(stdout).toBe('.env read\n');
    expect(receipts).toContainEqual(expect.objectContaining({ target: env(), verdict: 'would-deny' }));
  });
});

describe('run --verbose', () => {
  const sandbox = useSandbox();
  const told = async (argv: readonly string[], text: string, options: readonly string[] = []): Promise<string> => {
    const { stderr } = await inside(sandbox, argv, { policy: text, options: ['--verbose', ...options], hooks: 'on' });
    return /^gatekeeper: hints: (.*)$/m.exec(stderr)?.[1] ?? stderr;
  };

  it('says that files may be hinted', async () => {
    expect(await told(['true'], policy())).toBe('files and directories');
  });

  it('names the rule that keeps files out', async () => {
    const text = policy('      - { path: "**/*.key", effect: deny }');
    expect(await told(['true'], text)).toMatch(/may be executed in .*, where \*\*\/\*\.key is denied \(.*:9\)/);
  });

  it('names a program that lies elsewhere', async () => {
    const tool = join(sandbox.project, 'tool');
    copyFileSync('/usr/bin/true', tool);
    chmodSync(tool, 0o755);
    const line = await told([tool], policy());
    expect(line).toBe(`directories (files: ${tool} may be executed and lies in no tree that may be read as a whole)`);
  });

  it('says why a simulated run has none', async () => {
    expect(await told(['true'], policy(), ['--simulate'])).toBe('none (what a simulated run does is recorded)');
  });
});

describe('a policy that becomes stricter where a run reads by itself', () => {
  const sandbox = useSandbox();
  const file = (): string => join(sandbox.root, 'live.yaml');
  const STRICTER = '      - { path: "./open/late", effect: deny }';

  it('ends the run, and says so', async () => {
    const { output, ended } = await reloaded(policy(), policy(STRICTER));
    expect(await ended).toBe(125);
    expect(output()).toContain(
      `stricter now beneath ${join(sandbox.project, 'open')}, where this run may read by itself`,
    );
  });

  it('leaves it to go on when it only becomes stricter elsewhere', async () => {
    const written = (effect: string): string =>
      `${policy()}  - action: file_write\n    rules:\n      - { path: "./open/log", effect: ${effect} }\n`;
    const { output, ended } = await reloaded(written('allow'), written('deny'));
    expect(await ended).toBe(0);
    expect(output()).toContain('log: Permission denied');
    expect(output()).not.toContain('stricter');
  });

  it('leaves it to go on when the policy says to warn, which it does', async () => {
    const warn = 'onTighten: warn\n';
    const { output, ended } = await reloaded(policy('', warn), policy(STRICTER, warn));
    await until(() => output().includes('stricter now beneath'));
    sandbox.write('open/stop', '');
    expect(await ended).toBe(0);
  });

  /** A run that goes on until open/stop is there, and gets another policy once it reads. */
  async function reloaded(before: string, after: string): Promise<Started> {
    rmSync(join(sandbox.project, 'open'), { recursive: true, force: true });
    sandbox.write('open/plain', '');
    if (before.includes('open/log')) sandbox.write('open/log', '');
    writeFileSync(file(), before);
    const script = `cat open/plain; echo up
while [ ! -e open/stop ]; do [ ! -e open/log ] || date > open/log || exit 0; sleep 0.05; done`;
    const run = start(['--policy', file()], script);
    await until(() => run.output().includes('up\n'));
    writeFileSync(file(), after);
    return run;
  }

  type Started = { child: ChildProcess; ended: Promise<number>; output(): string };

  function start(options: readonly string[], script: string): Started {
    const child = spawn(process.execPath, [GATEKEEPER, 'run', ...options, '--', 'sh', '-c', script], {
      cwd: sandbox.project,
      env: { ...process.env, ...sandbox.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
    const ended = new Promise<number>((done) => child.once('close', (code) => done(code ?? -1)));
    return { child, ended, output: () => text };
  }

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((done) => setTimeout(done, 20));
  }
});
