import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPolicy } from '../../../../src/adapters/policy-files/load-policy.ts';
import { homeLayout } from '../../../../src/core/contract/home-layout.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

function home() {
  const directory = temporaryDirectory();
  const layout = homeLayout({ passwdHome: directory, uid: process.getuid!(), env: { GATEKEEPER_HOME: directory } });
  mkdirSync(layout.config, { recursive: true });
  const write = (effect: string) =>
    writeFileSync(
      layout.userPolicy,
      `version: 1\nname: mine\npolicies:\n  - action: file_read\n    rules:\n      - { path: ./x, effect: ${effect} }\n`,
      { mode: 0o600 },
    );
  write('allow');
  const load = (more: { cwd?: string; netAllow?: string[] } = {}) =>
    loadPolicy({ layout, passwdHome: directory, uid: process.getuid!(), cwd: directory, ...more });
  return { directory, write, load };
}

describe('a policy that was compiled before', () => {
  test('is not compiled again', () => {
    const { load } = home();
    expect(load().image).toBe(load().image);
  });

  test('is compiled again when anything of it differs', () => {
    const { directory, write, load } = home();
    const first = load();
    mkdirSync(join(directory, 'other'));
    expect(load({ cwd: join(directory, 'other') }).digest).not.toBe(first.digest);
    expect(load({ netAllow: ['example.com'] }).digest).not.toBe(first.digest);
    write('deny');
    expect(load().digest).not.toBe(first.digest);
    write('allow');
    expect(load().digest).toBe(first.digest);
  });
});
