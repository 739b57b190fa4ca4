import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import { GatekeeperError } from '../../../src/core/errors/gatekeeper-error.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const before = process.env['GATEKEEPER_HOME'];
const POLICY = `version: 1
name: mine
policies:
  - action: shell_exec
    rules:
      - { command: "git *", effect: allow }
      - { command: "git push *", effect: ask }
      - { command: "git push --force*", effect: deny }
  - action: file_write
    defaultEffect: ask
  - action: network
    rules:
      - { destination: "git.example:22", effect: ask }
`;
let home = '';
beforeEach(() => {
  home = join(temporaryDirectory(), 'gatekeeper');
  process.env['GATEKEEPER_HOME'] = home;
  mkdirSync(join(home, 'config'), { recursive: true });
  writeFileSync(join(home, 'config/policy.yaml'), POLICY, { mode: 0o600 });
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => {
  if (before === undefined) delete process.env['GATEKEEPER_HOME'];
  else process.env['GATEKEEPER_HOME'] = before;
});

async function gatekeeper(...args: string[]): Promise<{ status: number; output: string; error?: GatekeeperError }> {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const output = () => written.mock.calls.map(([text]) => text).join('');
  try {
    return { status: await runProgram(args), output: output() };
  } catch (error) {
    if (!(error instanceof GatekeeperError)) throw error;
    return { status: error.exitCode, output: output(), error };
  } finally {
    written.mockRestore();
  }
}
const grants = (...args: string[]) => gatekeeper('grants', ...args);
const list = async () => JSON.parse((await grants('list', '--json')).output) as Record<string, unknown>[];
const PUSH = ['git', 'push', 'origin', 'main'];

describe('grants add', () => {
  it('allows exactly what was named, for an hour, and names the rule that it answers', async () => {
    expect((await gatekeeper('policy', 'explain', 'shell_exec', ...PUSH)).status).toBe(2);
    const { status, output } = await grants('add', 'shell_exec', ...PUSH);
    expect(status).toBe(0);
    expect(output).toMatch(
      /^granted [0-9a-f]{8} {2}shell_exec {2}git push origin main {2}for 1h\nanswers user:policy\.yaml:7 git push \*\n$/,
    );
    const explained = await gatekeeper('policy', 'explain', 'shell_exec', ...PUSH);
    expect(explained.status).toBe(0);
    expect(explained.output).toMatch(/because {2}grants:[0-9a-f]{8} allow git push origin main: granted\n/);
    expect(explained.output).toContain('pierced  user:policy.yaml:7 ask');
    expect((await gatekeeper('policy', 'explain', 'shell_exec', 'git', 'push', 'origin', 'other')).status).toBe(2);
  });

  it('says that nothing asks when a rule denies, or allows, or the default asks, and lifts none of it', async () => {
    const denied = ['git', 'push', '--force', 'origin'];
    expect((await grants('add', 'shell_exec', ...denied)).output).toContain(
      'no rule asks about it here: user:policy.yaml:8 says deny',
    );
    expect((await gatekeeper('policy', 'explain', 'shell_exec', ...denied)).status).toBe(1);
    expect((await grants('add', 'shell_exec', 'git', 'status')).output).toContain('user:policy.yaml:6 says allow');
    expect((await grants('add', 'file_write', '/srv/x')).output).toContain(
      'the default at user:policy.yaml:10 says ask',
    );
    expect((await gatekeeper('policy', 'explain', 'file_write', '/srv/x')).status).toBe(2);
  });

  it('takes patterns when told so', async () => {
    await grants('add', 'shell_exec', '--pattern', '--always', 'git push origin *');
    expect((await gatekeeper('policy', 'explain', 'shell_exec', 'git', 'push', 'origin', 'x')).status).toBe(0);
    expect(await list()).toMatchObject([{ pattern: 'git push origin *', scope: { always: true } }]);
  });

  it('grants a destination with its port', async () => {
    expect((await grants('add', 'network', 'git.example:22', '--for', '10m')).output).toContain(
      'network  git.example:22  for 10m',
    );
    expect((await gatekeeper('policy', 'explain', 'network', 'git.example:22')).status).toBe(0);
    expect((await gatekeeper('policy', 'explain', 'network', 'git.example:443')).status).toBe(1);
  });

  it.each<[string, string[], string]>([
    ['an action that there is none of', ['delete', '/x'], 'GK_USAGE'],
    ['an action that nothing asks about', ['tool_call', '--pattern', 'x'], 'GK_GRANT'],
    ['a pattern that is none', ['file_read', '--pattern', '/a/../b'], 'GK_GRANT'],
    ['a duration that is none', ['file_read', '/a', '--for', '1y'], 'GK_USAGE'],
    ['a duration of nothing', ['file_read', '/a', '--for', '0s'], 'GK_USAGE'],
    ['a duration longer than a month', ['file_read', '/a', '--for', '31d'], 'GK_USAGE'],
    ['two scopes', ['file_read', '/a', '--for', '1h', '--always'], 'GK_USAGE'],
    ['a run that there is none of', ['file_read', '/a', '--run', 'none'], 'GK_RUN_NOT_FOUND'],
    ['the root, whose pattern takes everything', ['file_read', '/'], 'GK_GRANT'],
    ['one request', ['network', 'http://a.example/x'], 'GK_GRANT'],
  ])('refuses %s', async (_name, args, code) => {
    expect((await grants('add', ...args)).error?.code).toBe(code);
    expect(existsSync(join(home, 'state/grants.json'))).toBe(false);
  });
});

describe('grants list and revoke', () => {
  it('show what is granted until it is revoked', async () => {
    expect((await grants('list')).output).toBe('nothing is granted\n');
    await grants('add', 'shell_exec', ...PUSH);
    await grants('add', 'file_read', '/etc/hosts', '--always');
    const { output } = await grants('list');
    expect(output).toMatch(/shell_exec +git push origin main +for (1h|59m) /);
    expect(output).toMatch(/file_read +\/etc\/hosts +always /);
    const [first] = await list();
    expect((await grants('revoke', String(first!['id']))).output).toContain('runs that go on keep what they have');
    expect((await list()).map(({ action }) => action)).toEqual(['file_read']);
    expect((await grants('revoke', String(first!['id']))).error?.code).toBe('GK_GRANT');
    expect((await grants('revoke')).error?.code).toBe('GK_USAGE');
    expect((await grants('revoke', '--all')).status).toBe(0);
    expect(await list()).toEqual([]);
  });

  it('neither believe nor change a store that is not understood', async () => {
    await grants('add', 'shell_exec', ...PUSH, '--always');
    const store = join(home, 'state/grants.json');
    const damaged = readFileSync(store, 'utf8').replace('"always": true', '"always": true, "only": 1');
    writeFileSync(store, damaged);
    for (const args of [['list'], ['add', 'file_read', '/a'], ['revoke', '--all']])
      expect((await grants(...args)).error?.code).toBe('GK_GRANT');
    expect((await gatekeeper('policy', 'explain', 'shell_exec', ...PUSH)).status).toBe(2);
    expect(readFileSync(store, 'utf8')).toBe(damaged);
  });
});
