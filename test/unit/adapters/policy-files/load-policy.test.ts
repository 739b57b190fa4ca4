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

  describe('keeps from runs', () => {
    const all = 'policies: [{ action: [file_read, file_write, file_delete, unix_socket], defaultEffect: allow }]';
    beforeEach(() => writeFileSync(userFile(), policy(all)));
    const anchor = () => `${base}/other disk/gatekeeper.anchor`;
    const program = () => `${request.cwd}/keep.py`;
    const settings = () =>
      writeFileSync(
        request.layout.auditSettings,
        `version: 1\nanchors: { files: ["${anchor()}"], commands: [{ put: [/usr/bin/python3, "${program()}", -v] }] }\n`,
      );

    it('the settings of the log, its pinned key and the checkpoints beside them', () => {
      const { auditSettings, anchorFile, pinFile } = request.layout;
      for (const path of [auditSettings, anchorFile, `${anchorFile}.new`, pinFile]) {
        for (const action of ['file_read', 'file_write', 'file_delete', 'unix_socket'] as const)
          expect([action, path, effect(action, path)]).toEqual([action, path, 'deny']);
      }
    });

    it('the files that hold checkpoints elsewhere, as soon as settings name them', () => {
      const paths = () => [anchor(), `${anchor()}.new`].map((path) => effect('file_read', path));
      expect(paths()).toEqual(['allow', 'allow']);
      settings();
      expect(paths()).toEqual(['deny', 'deny']);
      expect(effect('file_write', anchor())).toBe('deny');
      expect(effect('file_delete', anchor())).toBe('deny');
      expect(effect('file_write', `${base}/other disk/more`)).toBe('allow');
    });

    it('the programs that hold checkpoints, which the daemon starts outside of runs', () => {
      expect(effect('file_write', program())).toBe('allow');
      settings();
      expect(effect('file_write', program())).toBe('deny');
      expect(effect('file_delete', '/usr/bin/python3')).toBe('deny');
      expect(effect('file_read', program())).toBe('allow');
    });

    it('everything, while nobody can tell what settings name', () => {
      writeFileSync(request.layout.auditSettings, 'version: 1\nanchors: { file: [/a] }\n');
      expect(() => loadPolicy(request)).toThrow(
        expect.objectContaining({ code: 'GK_AUDIT_SETTINGS', where: `${request.layout.auditSettings}:2:12` }),
      );
    });
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
