import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ordinaryAccount } from '../support/account.ts';
import { denials, inside, outside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';

const policy = (...lines: string[]) => ['version: 1', 'name: terms', 'extends: [default]', ...lines, ''].join('\n');
const sh = (script: string) => ['bash', '-c', script];

describe('the environment of a run', () => {
  const sandbox = useSandbox();
  const env = {
    GITHUB_TOKEN: 'hunter2',
    TMUX: '/tmp/t,1,0',
    npm_config__authToken: 'hunter3',
    EDITOR: 'vi',
    MY_VALUE: '1',
  };
  const variables = (text: string) => text.split('\n').map((line) => line.split('=')[0]);

  it("holds neither secrets nor the addresses of the user's own programs, which are named when asked", async () => {
    const bare = await outside(sandbox, ['env'], { env });
    expect(variables(bare.stdout)).toEqual(expect.arrayContaining(Object.keys(env)));
    const { stdout, stderr } = await inside(sandbox, ['env'], { env, options: ['--verbose'] });
    expect(variables(stdout)).toEqual(expect.arrayContaining(['EDITOR', 'MY_VALUE', 'HTTPS_PROXY', 'GATEKEEPER_RUN']));
    expect(stdout).not.toMatch(/hunter|TMUX|GATEKEEPER_HOME/);
    expect(stderr).toMatch(/^gatekeeper: not in its environment: .*GITHUB_TOKEN/m);
    for (const name of ['TMUX', 'npm_config__authToken', 'GATEKEEPER_HOME']) expect(stderr).toContain(name);
    expect(stderr).not.toMatch(/hunter|\/tmp\/t,1,0|EDITOR/);
  });

  it('holds no more of them elsewhere: not in the supervisor, and the command line cannot be asked', async () => {
    const script = 'for file in /proc/[0-9]*/environ; do tr "\\0" "\\n" < $file; done 2>/dev/null | grep hunter';
    expect((await outside(sandbox, sh(script), { env })).stdout).toContain('hunter2');
    expect((await inside(sandbox, sh(script), { env })).stdout).toBe('');
  });

  it('is as the policy says: pass and drop', async () => {
    const { stdout } = await inside(sandbox, ['env'], {
      env,
      policy: policy('env: { pass: [GITHUB_TOKEN], drop: ["MY_*"] }'),
    });
    expect(stdout).toMatch(/^GITHUB_TOKEN=hunter2$/m);
    expect(variables(stdout)).not.toContain('MY_VALUE');
    expect(stdout).not.toContain('hunter3');
  });
});

const accounts = [undefined, ordinaryAccount()].filter((user, index) => index === 0 || user !== undefined);

describe.each(accounts.map((user) => ({ who: user?.name ?? 'the account of the tests', user })))(
  'caches of a run as $who',
  ({ user }) => {
    const sandbox = useSandbox({ user });

    it('are its own: made for it, led to by variables, gone with it', async () => {
      const script =
        'echo "$npm_config_cache"; echo implant > "$npm_config_cache/x" && ln -s x "$npm_config_cache/y" && mkdir "$npm_config_cache/d" && chmod 0 "$npm_config_cache/d"; cat "$npm_config_cache/y"';
      const { stdout } = await inside(sandbox, sh(script), { policy: policy('caches: { npm: private }') });
      const [directory, content] = stdout.split('\n');
      expect([directory, content]).toEqual([`${sandbox.layout.caches}/run-1/npm`, 'implant']);
      await until(() => readdirSync(sandbox.layout.caches).length === 0);
      const next = await inside(sandbox, sh('ls "$npm_config_cache"'), { policy: policy('caches: { npm: private }') });
      expect([next.stdout, next.status]).toEqual(['', 0]);
    });

    it("of a workspace stay for its next run, and are nobody else's", async () => {
      const ours = policy('caches: { pip: workspace, npm: private }');
      await inside(sandbox, sh('echo kept > "$PIP_CACHE_DIR/x"'), { policy: ours });
      const script = 'cat "$PIP_CACHE_DIR/x"; echo "$PIP_CACHE_DIR"';
      const { stdout } = await inside(sandbox, sh(script), { policy: ours });
      expect(stdout).toMatch(/^kept\n/);
      const file = `${stdout.trim().split('\n')[1]!}/x`;
      const elsewhere = join(sandbox.root, 'elsewhere');
      mkdirSync(elsewhere, { recursive: true });
      const attack = sh(`cat ${file}; echo implant > ${file}; rm ${file}; ls ${sandbox.layout.caches}`);
      const other = await inside(sandbox, attack, { policy: ours, cwd: elsewhere });
      expect(other.stdout).toBe('');
      expect(denials(other.receipts).map(({ action }) => action)).toEqual(
        expect.arrayContaining(['file_read', 'file_write', 'file_delete']),
      );
      expect(readFileSync(file, 'utf8')).toBe('kept\n');
    });

    it('go with the run as what they are: nothing behind a link that it left in their place does', async () => {
      const kept = join(sandbox.project, 'kept');
      const script = `mkdir -p ${kept} && chmod 750 ${kept} && echo kept > ${kept}/x; place=$(dirname "$npm_config_cache"); rmdir "$place/npm" "$place"; ln -s ${kept} "$place"; ls -ld "$place"`;
      const ours = policy('caches: { npm: private }');
      const bounded = await inside(sandbox, sh(script), { policy: ours });
      expect(bounded.stdout).toBe('');
      const simulated = await inside(sandbox, sh(script), { policy: ours, options: ['--simulate'] });
      expect(simulated.stdout).toContain(` -> ${kept}`);
      await until(
        () => readdirSync(sandbox.layout.caches).filter((name) => !name.startsWith('workspace')).length === 0,
      );
      expect([readFileSync(`${kept}/x`, 'utf8'), statSync(kept).mode & 0o777]).toEqual(['kept\n', 0o750]);
    });

    it('of a workspace are directories again for the next run, whatever one left in their place', async () => {
      const ours = policy('caches: { npm: workspace }');
      const look = sh('stat -c %F:%a "$npm_config_cache"; ls -A "$npm_config_cache"');
      for (const leave of ['ln -s / "$npm_config_cache"', 'echo > "$npm_config_cache"', 'mkfifo "$npm_config_cache"']) {
        const left = await inside(sandbox, sh(`rm -r "$npm_config_cache"; ${leave} && echo left`), { policy: ours });
        expect([leave, left.stdout]).toEqual([leave, 'left\n']);
        const { stdout, status } = await inside(sandbox, look, { policy: ours });
        expect([leave, stdout, status]).toEqual([leave, 'directory:700\n', 0]);
      }
    });

    it('are no way in for a run whose policy has none', async () => {
      const caches = sandbox.layout.caches;
      const script = `mkdir -p ${caches}/run-1/npm; ls ${caches}; echo x > ${caches}/x`;
      const { stdout } = await inside(sandbox, sh(script));
      expect([stdout, existsSync(`${caches}/x`), existsSync(`${caches}/run-1`)]).toEqual(['', false, false]);
    });

    it("serve npm ci, which leaves the user's own cache alone", async () => {
      const library = join(sandbox.root, 'library');
      mkdirSync(library, { recursive: true });
      writeFileSync(`${library}/package.json`, '{"name":"library","version":"1.0.0","bin":{"lib":"lib.js"}}');
      writeFileSync(`${library}/lib.js`, '#!/usr/bin/env node\nconsole.log("from the library")\n');
      execFileSync('tar', [
        '-czf',
        join(sandbox.root, 'library.tgz'),
        '-C',
        sandbox.root,
        '--transform',
        's/^library/package/',
        'library',
      ]);
      sandbox.write('library-1.0.0.tgz', readFileSync(join(sandbox.root, 'library.tgz')));
      sandbox.write(
        'package.json',
        '{"name":"p","version":"1.0.0","dependencies":{"library":"file:library-1.0.0.tgz"}}',
      );
      const install =
        'npm install --package-lock-only --no-audit --no-fund >/dev/null && npm ci --no-audit --no-fund && node_modules/.bin/lib && ls "$npm_config_cache"';
      const { stdout, stderr, status } = await inside(sandbox, sh(install), {
        policy: policy('caches: { npm: private }'),
        // npm looks for credentials, which stay where they are.
        options: ['--quiet-hook'],
      });
      expect([status, stderr.replace('gatekeeper: starting the daemon\n', '')]).toEqual([0, '']);
      expect(stdout).toContain('from the library');
      expect(stdout).toContain('_cacache');
    });
  },
);

describe('the trust store', () => {
  const sandbox = useSandbox();

  it('is out of reach of a run, which could trust its own file otherwise', async () => {
    const store = sandbox.layout.trust;
    const script = `echo '{"v":1,"files":[]}' > ${store}; echo x > ${store}.new; mv ${store}.new ${store}; ln -s /dev/null ${store}; cat ${store}`;
    await sandbox.gatekeeper(['daemon', 'start']);
    expect((await outside(sandbox, sh(script))).status).toBe(0);
    rmSync(store);
    const { stdout, receipts } = await inside(sandbox, sh(script));
    expect([stdout, existsSync(store)]).toEqual(['', false]);
    expect(denials(receipts).some(({ target }) => target === store)).toBe(true);
  });
});

/** Waits until something holds; the test's own time limit is the bound. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}
