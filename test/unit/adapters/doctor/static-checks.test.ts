import { chmodSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  kernelRelease,
  nodeVersion,
  ownDirectory,
  staticChecks,
  yama,
} from '../../../../src/adapters/doctor/static-checks.ts';
import { homeLayout } from '../../../../src/core/contract/home-layout.ts';

let directory: string;
const uid = process.getuid?.() ?? 0;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gk-doctor-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('static checks', () => {
  it.each([
    ['20.18.9', false],
    ['20.19.0', true],
    ['22.1.0', true],
    ['18.20.8', false],
  ])('Node %s: %s', (version, ok) => expect(nodeVersion(version).ok).toBe(ok));

  it.each([
    ['6.11.9-generic', false],
    ['6.12.0-rc1', true],
    ['7.0.1', true],
    ['5.15.167', false],
    ['unreadable', false],
  ])('kernel %s: %s', (found, ok) => expect(kernelRelease(found).ok).toBe(ok));

  it.each([
    ['', true],
    ['0\n', true],
    ['1\n', true],
    ['2\n', false],
    ['3\n', false],
  ])('Yama at %j: %s', (scope, ok) => expect(yama(scope).ok).toBe(ok));

  it('takes a directory that is closed to others', () => {
    expect(ownDirectory(directory, uid)).toMatchObject({ ok: true, detail: 'mode 0700' });
  });

  it('refuses a directory that others can read, and names the command', () => {
    chmodSync(directory, 0o755);
    expect(ownDirectory(directory, uid)).toMatchObject({ ok: false, remedy: `chmod 700 ${directory}` });
  });

  it('refuses a directory of somebody else', () => {
    expect(ownDirectory(directory, uid + 1)).toMatchObject({ ok: false, detail: `owned by user ${uid}` });
  });

  it('looks at a symbolic link, not through it', () => {
    symlinkSync('/', join(directory, 'link'));
    expect(ownDirectory(join(directory, 'link'), uid).ok).toBe(false);
  });

  it('takes a directory that is missing and can be made', () => {
    expect(ownDirectory(join(directory, 'a', 'b'), uid)).toMatchObject({ ok: true, detail: 'not there yet' });
  });

  it('fails for a supervisor that is not there, with a remedy for every failure', () => {
    const layout = homeLayout({ passwdHome: directory, uid, env: {} });
    const checks = staticChecks({ layout, supervisor: join(directory, 'none'), uid });
    expect(checks.find(({ name }) => name === 'supervisor')).toMatchObject({
      ok: false,
      remedy: 'build it: npm run build:native',
    });
    expect(checks.filter(({ ok, remedy }) => !ok && !remedy)).toEqual([]);
  });
});
