import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { requestControl } from '../../src/adapters/control-client/request.ts';
import { API, type ListRunsResponse } from '../../src/core/contract/control-api.ts';
import { ordinaryAccount } from '../support/account.ts';
import { denials, inside, outside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';

/** What is tried on a file of the hooks or on the run's image, as Python; `f` is the file, `d` its directory, both absolute. */
const CHANGES: Readonly<Record<string, string>> = {
  'write to it': 'os.close(os.open(f, os.O_WRONLY))',
  'append to it': 'os.close(os.open(f, os.O_RDWR | os.O_APPEND))',
  'empty it while it is opened for reading': 'os.close(os.open(f, os.O_RDONLY | os.O_TRUNC))',
  'truncate it': 'os.truncate(f, 1)',
  'write to it by the name of its link': 'os.symlink(f, n + "soft"); os.close(os.open(n + "soft", os.O_WRONLY))',
  'rename it': 'os.rename(f, n + "taken")',
  'rename another file to its name': 'os.rename("new", f)',
  'remove it': 'os.unlink(f)',
  'give it a second name': 'os.link(f, n + "second")',
  'give a file of its own a name beside it': 'os.link("new", d + "/beside")',
  'make a link beside it': 'os.symlink("/etc/passwd", d + "/beside")',
  'make a file beside it': 'os.close(os.open(d + "/beside", os.O_WRONLY | os.O_CREAT))',
  'make a directory beside it': 'os.mkdir(d + "/beside")',
  'change its mode': 'os.chmod(f, 0o777)',
  'change its times': 'os.utime(f, (1, 1))',
  'set an attribute': 'os.setxattr(f, "user.x", b"1")',
  'change the mode of its directory': 'os.chmod(d, 0o777)',
  'rename its directory': 'os.rename(d, n + "taken")',
  'put another directory in the place of its own':
    'os.mkdir(n + "other"); os.rename(d, n + "old"); os.rename(n + "other", d)',
};

const accounts = [undefined, ordinaryAccount()].filter((user, index) => index === 0 || user !== undefined);

describe.each(accounts.map((user) => ({ who: user?.name ?? 'the account of the tests', user })))(
  'what gatekeeper lends to a run of $who',
  ({ user }) => {
    const sandbox = useSandbox({ user });
    const hooks = () => join(sandbox.layout.hooks, readdirSync(sandbox.layout.hooks)[0]!);
    const images = () => sandbox.layout.images;
    const imageOf = async () => {
      const { runs } = await requestControl<ListRunsResponse>(sandbox.layout, API.listRuns);
      return join(images(), `${runs.at(-1)!.policyDigest.replace('sha256:', '')}.gkimg`);
    };

    const lay = () => {
      execFileSync('find', [sandbox.project, '-mindepth', '1', '-delete']);
      sandbox.write('new', 'new\n');
    };

    beforeEach(() => {
      if (user) chmodSync(sandbox.root, 0o755);
      lay();
    });

    it.each(Object.entries(CHANGES))('cannot be changed by it: %s', async (_title, work) => {
      await inside(sandbox, ['true'], { hooks: 'on' });
      const library = join(hooks(), 'libgk-hook.so');
      const files = [library, await imageOf()];
      const before = files.map(stateOf);
      const run = await inside(sandbox, attempt(work, files), { hooks: 'on' });
      expect(run.stdout).toBe('refused\nrefused\n');
      expect(denials(run.receipts).map(({ source }) => source)).toEqual(files.map(() => 'protection'));
      expect(files.map(stateOf)).toEqual(before);
      for (const file of files) expect(existsSync(join(dirname(file), 'beside'))).toBe(false);
      // The same outside, by an owner whose permissions let it: it is gatekeeper that refuses.
      lay();
      execFileSync('chmod', ['-R', 'u+w', hooks()]);
      expect((await outside(sandbox, attempt(work, [library]))).stdout).toBe('done\n');
    });

    it('may be read by it and by nobody else: neither another image nor anything beside them', async () => {
      const other = policyText('other');
      const own = policyText('own');
      await inside(sandbox, ['true'], { policy: other, hooks: 'on' });
      const image = await imageOf();
      const { layout } = sandbox;
      const reading = `for f in "$LD_PRELOAD" "\${GATEKEEPER_HOOK#*:}" ${image} ${layout.controlToken} ${layout.hooks}/x ${layout.state}/grants.json; do head -c 1 "$f" >/dev/null 2>&1 && echo "$f"; done; ls ${layout.images} ${layout.hooks}`;
      const run = await inside(sandbox, ['bash', '-c', reading], { policy: own, hooks: 'on' });
      const readable = run.stdout.trim().split('\n');
      expect(readable).toEqual([join(hooks(), 'libgk-hook.so'), await imageOf()]);
      expect(readable).not.toContain(image);
      expect(denials(run.receipts).map(({ target }) => target)).toEqual(
        expect.arrayContaining([image, layout.controlToken]),
      );
    });

    it('may not be read where the run was started without hooks', async () => {
      const file = join(hooks(), 'libgk-hook.so');
      const run = await inside(sandbox, ['head', '-c', '1', file], { hooks: 'off' });
      expect([run.status, run.stdout]).toEqual([1, '']);
      expect(denials(run.receipts)).toMatchObject([{ action: 'file_read', target: file, source: 'protection' }]);
    });

    it('follows the policy: the image that is in force can be read, and the first one still', async () => {
      const path = join(sandbox.root, 'changing.yaml');
      const save = (name: string) => writeFileSync(path, policyText(name), { mode: 0o644 });
      save('before');
      const script =
        'first=$(cut -d : -f 2 <<<"$GATEKEEPER_HOOK"); head -c 1 "$first" >/dev/null && echo first; touch started; until [ -s next ]; do sleep 0.05; done; next=$(cat next); until head -c 1 "$next" >/dev/null 2>&1; do sleep 0.05; done; echo next; head -c 1 "$first" >/dev/null && echo first';
      const running = inside(sandbox, ['bash', '-c', script], { options: ['--policy', path], hooks: 'on' });
      const { project } = sandbox;
      await expect.poll(() => existsSync(join(project, 'started')), { timeout: 60_000 }).toBe(true);
      const first = await imageOf();
      save('after');
      await expect.poll(imageOf, { timeout: 60_000 }).not.toBe(first);
      sandbox.write('next', `${await imageOf()}\n`);
      expect((await running).stdout).toBe('first\nnext\nfirst\n');
    });
  },
);

const policyText = (name: string) => `version: 1\nname: ${name}\nextends: [default]\n`;

/** Tries it on each file in turn; `n` tells the attempts apart. */
const attempt = (work: string, files: readonly string[]): string[] => [
  'python3',
  '-c',
  `import os, sys
for f in sys.argv[1:]:
    d, n = os.path.dirname(f), str(sys.argv.index(f))
    try:
        ${work}
        print("done")
    except PermissionError:
        print("refused")`,
  ...files,
];

function stateOf(file: string) {
  const { ino, mode, nlink, mtimeMs } = statSync(file);
  return { ino, mode, nlink, mtimeMs, content: readFileSync(file, 'latin1') };
}
