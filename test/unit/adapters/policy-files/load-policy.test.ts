import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LoadRequest, loadPolicy } from '../../../../src/adapters/policy-files/load-policy.ts';
import { homeLayout } from '../../../../src/core/contract/home-layout.ts';
import { decideHost, decidePath, type PathAction } from '../../../../src/core/engine/decide.ts';
import { PolicyImage } from '../../../../src/core/engine/image.ts';
import { bytes } from '../../../support/policy.ts';

let base: string;
let request: LoadRequest;
const uid = process.getuid?.() ?? 0;
const policy = (body: string) => `version: 1\nname: mine\n${body}`;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'gk-policy-')));
  for (const name of ['home/.config/gatekeeper', 'work (app) [id]', 'system'])
    mkdirSync(join(base, name), { recursive: true });
  const layout = homeLayout({ passwdHome: `${base}/home`, uid, env: {} });
  request = {
    layout: { ...layout, systemPolicyDir: `${base}/system` },
    passwdHome: `${base}/home`,
    uid,
    cwd: `${base}/work (app) [id]`,
  };
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const userFile = () => request.layout.userPolicy;
const effect = (action: PathAction, path: string, changes: Partial<LoadRequest> = {}) => {
  const { image, digest } = loadPolicy({ ...request, ...changes });
  return decidePath(PolicyImage.open(image, digest), action, bytes(path)).effect;
};

describe('loadPolicy', () => {
  it('lets the preset default stand in for a user policy, and says what it looked for', () => {
    const loaded = loadPolicy(request);
    expect(loaded.name).toBe('default');
    expect(loaded.warnings).toEqual([]);
    expect(loaded.files).toEqual([`${base}/system`, userFile(), `${request.cwd}/.gatekeeper.yaml`]);
    expect(effect('file_read', `${request.cwd}/src/a.ts`)).toBe('allow');
    expect(effect('file_read', `${request.cwd}/.env`)).toBe('deny');
    expect(effect('file_read', `${base}/work a i/src/a.ts`)).toBe('allow'); // the test's own base lies in /tmp
    expect(effect('file_read', `${base}/home/.config/gatekeeper/policy.yaml`)).toBe('deny');
  });

  it('takes real and lexical form of the workspace', () => {
    symlinkSync(request.cwd, `${base}/link`);
    const rules = 'policies: [{ action: file_read, rules: [{ path: "./x", effect: allow }] }]';
    writeFileSync(userFile(), policy(rules));
    expect(effect('file_read', `${base}/link/x`, { cwd: `${base}/link` })).toBe('allow');
    expect(effect('file_read', `${request.cwd}/x`, { cwd: `${base}/link` })).toBe('allow');
    expect(effect('file_read', `${base}/work a i/x`)).toBe('deny');
  });

  it('names the file, line and column of an error', () => {
    writeFileSync(userFile(), policy('polices: []\n'));
    expect(() => loadPolicy(request)).toThrow(
      expect.objectContaining({
        code: 'GK_POLICY_INVALID',
        where: `${userFile()}:3:1`,
        what: expect.stringContaining('unknown key "polices"'),
      }),
    );
  });

  it("adds the system's policy, which is root's alone", () => {
    writeFileSync(
      `${base}/system/site.yaml`,
      policy('policies: [{ action: network, rules: [{ destination: evil.example, effect: deny }] }]'),
    );
    const load = () => loadPolicy({ ...request, netAllow: ['*.example:443'] });
    if (process.getuid?.() !== 0) return expect(load).toThrow(/belongs to user/);
    const opened = PolicyImage.open(load().image, '');
    expect(decideHost(opened, { name: 'good.example', port: 443 }).effect).toBe('allow');
    expect(decideHost(opened, { name: 'evil.example', port: 443 }).effect).toBe('deny');
  });

  it('adds project and command line', () => {
    writeFileSync(
      `${request.cwd}/.gatekeeper.yaml`,
      policy('policies: [{ action: file_read, rules: [{ path: ./private/**, effect: deny }] }]'),
    );
    const { image } = loadPolicy({ ...request, netAllow: ['*.example:443'] });
    const opened = PolicyImage.open(image, '');
    expect(decideHost(opened, { name: 'good.example', port: 443 }).effect).toBe('allow');
    expect(decidePath(opened, 'file_read', bytes(`${request.cwd}/private/x`)).effect).toBe('deny');
  });

  it('keeps every policy file in force from being written, wherever it lies', () => {
    writeFileSync(`${request.cwd}/team.yaml`, policy(''));
    writeFileSync(`${request.cwd}/p.yaml`, policy('extends: [./team.yaml, default]\n'));
    for (const name of ['p.yaml', 'team.yaml', '.gatekeeper.yaml']) {
      expect([name, effect('file_write', `${request.cwd}/${name}`, { policy: './p.yaml' })]).toEqual([name, 'deny']);
    }
    expect(effect('file_write', `${request.cwd}/other.yaml`, { policy: './p.yaml' })).toBe('allow');
  });

  it('refuses policies that are not there or are no destinations', () => {
    expect(() => loadPolicy({ ...request, policy: 'nope' })).toThrow(
      expect.objectContaining({ code: 'GK_POLICY_NOT_FOUND' }),
    );
    expect(() => loadPolicy({ ...request, policy: './nope.yaml' })).toThrow(
      expect.objectContaining({ code: 'GK_POLICY_NOT_FOUND' }),
    );
    expect(() => loadPolicy({ ...request, netAllow: ['http://x'] })).toThrow(
      expect.objectContaining({ code: 'GK_DESTINATION' }),
    );
  });

  it.each([
    ['a symbolic link', (path: string) => symlinkSync('/etc/hostname', path), 'is a symbolic link'],
    ['a directory', (path: string) => mkdirSync(path), 'is not a regular file'],
    ['a FIFO', (path: string) => execFileSync('mkfifo', [path]), 'is not a regular file'],
    ['too large', (path: string) => writeFileSync(path, `#${'x'.repeat(1 << 20)}`), 'is larger than'],
    ['not UTF-8', (path: string) => writeFileSync(path, Uint8Array.of(0x23, 0xff)), 'is not UTF-8'],
    [
      'writable by all',
      (path: string) => {
        writeFileSync(path, policy(''));
        chmodSync(path, 0o666);
      },
      'everyone can write',
    ],
  ])('refuses a project file that is %s', (_, make, text) => {
    make(`${request.cwd}/.gatekeeper.yaml`);
    expect(() => loadPolicy(request)).toThrow(text);
  });

  it('reads no parent of a project file outside the project', () => {
    writeFileSync(`${base}/outside.yaml`, policy(''));
    writeFileSync(`${request.cwd}/.gatekeeper.yaml`, policy('extends: ["../outside.yaml"]\n'));
    expect(() => loadPolicy(request)).toThrow(/does not exist/);
    symlinkSync(`${base}/outside.yaml`, `${request.cwd}/in.yaml`);
    writeFileSync(`${request.cwd}/.gatekeeper.yaml`, policy('extends: ["./in.yaml"]\n'));
    expect(() => loadPolicy(request)).toThrow(/does not exist/);
  });
});
