import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bare, type Outcome } from '../support/bare.ts';
import { HINTED, hintsPolicy } from '../support/hinted.ts';
import { inside } from '../support/run-inside.ts';
import { GATEKEEPER, useSandbox } from '../support/sandbox.ts';

/** What the host shows at two places keeps the rules of both. Each test mounts in a mount namespace of its own (unshare(1)). */
describe.runIf(process.getuid?.() === 0)('a place that the host shows under another name', () => {
  const sandbox = useSandbox();
  beforeAll(async () => {
    mkdirSync(join(sandbox.root, 'elsewhere'));
    // The daemon stays outside of the namespaces.
    await inside(sandbox, ['true']);
  });
  afterEach(() => void sandbox.write('plain.txt', ''));

  const ways: readonly { title: string; mount: string; script: string; success: RegExp }[] = [
    {
      title: 'a secret under the name of an ordinary file',
      mount: 'mount --bind .env plain.txt',
      script: 'cat plain.txt',
      success: /SECRET/,
    },
    {
      title: 'a secret in the whole project, seen elsewhere',
      mount: 'mount --bind . ../elsewhere',
      script: 'cat ../elsewhere/.env',
      success: /SECRET/,
    },
    {
      title: 'a guarded directory, written to',
      mount: 'mount --bind .vscode open',
      script: 'echo x > open/launch.json; ls .vscode; rm .vscode/launch.json',
      success: /launch/,
    },
    {
      title: 'a guarded directory, something moved into it',
      mount: 'mount --bind .vscode open',
      script: 'touch launch.json; cp launch.json open; mv launch.json open; ls .vscode; rm .vscode/launch.json',
      success: /launch/,
    },
    {
      title: 'a guarded directory, a hard link in it',
      mount: 'mount --bind .vscode open',
      script: 'ln plain.txt open/launch.json; ls .vscode; rm .vscode/launch.json',
      // The kernel itself makes no link from one mount to another.
      success: /never/,
    },
    {
      title: 'a prepared directory, moved into place',
      mount: 'mount --bind . ../elsewhere && rm -r .vscode',
      script: 'mkdir ready; touch ready/launch.json; mv ../elsewhere/ready ../elsewhere/.vscode; ls .vscode',
      success: /launch/,
    },
    {
      title: 'a guarded directory, moved away',
      mount: 'mount --bind . ../elsewhere && touch .vscode/launch.json',
      script: 'mv ../elsewhere/.vscode ../elsewhere/away; ls away',
      success: /launch/,
    },
    {
      title: 'the state of gatekeeper',
      mount: 'mount --bind "$GATEKEEPER_HOME/state" open',
      script: 'ls open && touch open/mark && ls open && rm open/mark',
      success: /keys/,
    },
  ];

  it.each(ways)('$title, is had outside and not inside', async ({ mount, script, success }) => {
    lay();
    const before = await inNamespace(mount, ['sh', '-c', script]);
    if (!/never/.test(success.source)) expect(before.stdout).toMatch(success);
    lay();
    const after = await inNamespace(mount, [process.execPath, GATEKEEPER, 'run', '--', 'sh', '-c', script]);
    expect(after.stderr).toContain('denied');
    expect(after.stdout).not.toMatch(/SECRET|launch|keys/);
  });

  /** What a hint would name lies beneath a tree that may be read as a whole; what is seen there by a mount does not. */
  const seen: readonly { title: string; mount: string; path: () => string; why: () => string }[] = [
    {
      title: 'a secret under the name of a file that may be hinted',
      mount: 'mount --bind .env open/plain',
      path: () => 'open/plain',
      why: () => `a mount in ${sandbox.project}/open shows what is at ${sandbox.project}/.env`,
    },
    {
      title: 'a process outside, where procfs is seen once more',
      mount: 'mkdir open/proc && mount -t proc proc open/proc',
      path: () => `open/proc/${process.pid}/cmdline`,
      why: () => `proc is mounted at ${sandbox.project}/open/proc`,
    },
  ];
  it.each(seen)('$title, is read by a hint outside and not inside', async ({ mount, path, why }) => {
    lay();
    sandbox.write('open/plain', '');
    const policy = join(sandbox.root, 'hints.yaml');
    writeFileSync(policy, hintsPolicy());
    expect((await inNamespace(mount, [...HINTED, path()])).stdout).toBe(`${path()} read\n`);
    rmSync(join(sandbox.project, 'open'), { recursive: true });
    sandbox.write('open/plain', '');
    const run = [process.execPath, GATEKEEPER, 'run', '--verbose', '--policy', policy, '--', ...HINTED, path()];
    const { stdout, stderr } = await inNamespace(mount, run);
    expect(stdout).toBe(`${path()} EACCES\n`);
    expect(stderr).toContain(`hints: directories (files: ${sandbox.project}/open may be executed`);
    expect(stderr).toContain(`not everywhere: ${why()}`);
  });

  it('hides nothing that no rule denies', async () => {
    lay();
    const script = 'echo mine > open/file && mv open/file open/other && cat real/other';
    const argv = [process.execPath, GATEKEEPER, 'run', '--', 'sh', '-c', script];
    expect((await inNamespace('mkdir real && mount --bind real open', argv)).stdout).toBe('mine\n');
  });

  function lay(): void {
    for (const name of ['ready', 'away', '.vscode'])
      rmSync(join(sandbox.project, name), { recursive: true, force: true });
    sandbox.write('.env', 'SECRET=swordfish\n');
    sandbox.write('.vscode/tasks.json', '{}\n');
    sandbox.write('plain.txt', '');
    mkdirSync(join(sandbox.project, 'open'), { recursive: true });
  }

  function inNamespace(mount: string, argv: readonly string[]): Promise<Outcome> {
    return bare(['unshare', '--mount', 'sh', '-c', `${mount} && exec "$@"`, 'sh', ...argv], {
      cwd: sandbox.project,
      env: sandbox.env,
    });
  }
});
