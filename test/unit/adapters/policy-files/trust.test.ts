import { mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../../../src/adapters/policy-files/digest.ts';
import { type LoadRequest, loadPolicy } from '../../../../src/adapters/policy-files/load-policy.ts';
import { addTrust } from '../../../../src/adapters/trust-store/trust-store.ts';
import { homeLayout } from '../../../../src/core/contract/home-layout.ts';
import { decidePath, type PathAction } from '../../../../src/core/engine/decide.ts';
import { PolicyImage } from '../../../../src/core/engine/image.ts';
import { bytes } from '../../../support/policy.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const uid = process.getuid!();
const at = '2026-01-02T03:04:05.000Z';
const LOOSE = `version: 1
name: project
policies:
  - action: file_read
    rules:
      - { path: "./.env", effect: allow, override: true }
      - { path: "/srv/data/**", effect: allow }
  - { action: file_write, rules: [{ path: "./.vscode/**", effect: allow, override: true }] }
`;
let request: LoadRequest;
let file: string;

beforeEach(() => {
  const base = realpathSync(temporaryDirectory());
  for (const name of ['home', 'project', 'gk/state', 'gk/config']) mkdirSync(`${base}/${name}`, { recursive: true });
  const layout = homeLayout({ passwdHome: `${base}/home`, uid, env: { GATEKEEPER_HOME: `${base}/gk` } });
  request = {
    layout: { ...layout, systemPolicyDir: `${base}/none` },
    passwdHome: `${base}/home`,
    uid,
    cwd: `${base}/project`,
  };
  file = `${request.cwd}/.gatekeeper.yaml`;
  writeFileSync(file, LOOSE);
});

const trust = (path = file) => addTrust(request.layout.trust, { path, digest: sha256(readFileSync(path, 'utf8')), at });
const effect = (action: PathAction, path: string) => {
  const { image, digest } = loadPolicy(request);
  return decidePath(PolicyImage.open(image, digest), action, bytes(path)).effect;
};

describe('a policy file of a project', () => {
  it('can only tighten while nobody trusts it', () => {
    expect(effect('file_read', '/srv/data/x')).toBe('deny');
    expect(effect('file_write', `${request.cwd}/.vscode/tasks.json`)).toBe('deny');
    expect(loadPolicy(request).warnings.join('\n')).toContain('have no effect, because it can only tighten');
  });

  it('that is trusted allows and lifts guards, but pierces no other layer', () => {
    trust();
    expect(effect('file_read', '/srv/data/x')).toBe('allow');
    expect(effect('file_write', `${request.cwd}/.vscode/tasks.json`)).toBe('allow');
    expect(effect('file_read', `${request.cwd}/.env`)).toBe('deny'); // the preset in the user's place denies it
    expect(loadPolicy(request).warnings).toEqual([]);
  });

  it('loses its trust with one changed byte, and the user is told; the old content has it again', () => {
    trust();
    writeFileSync(file, `${LOOSE}# more\n`);
    expect(effect('file_read', '/srv/data/x')).toBe('deny');
    expect(loadPolicy(request).warnings.join('\n')).toContain('.gatekeeper.yaml has changed since you trusted it');
    writeFileSync(file, LOOSE);
    expect(effect('file_read', '/srv/data/x')).toBe('allow');
  });

  it('is not trusted in another place', () => {
    trust();
    renameSync(request.cwd, `${request.cwd}-2`);
    request = { ...request, cwd: `${request.cwd}-2` };
    expect(effect('file_read', '/srv/data/x')).toBe('deny');
  });

  it('passes its trust on to presets and not to files that it extends', () => {
    const parent = `${request.cwd}/team.yaml`;
    writeFileSync(parent, LOOSE);
    writeFileSync(file, 'version: 1\nname: p\nextends: [./team.yaml]\n');
    trust();
    expect(effect('file_read', '/srv/data/x')).toBe('deny');
    trust(parent);
    expect(effect('file_read', '/srv/data/x')).toBe('allow');
  });

  it('is not trusted when the store is not understood', () => {
    trust();
    writeFileSync(request.layout.trust, '{}');
    expect(effect('file_read', '/srv/data/x')).toBe('deny');
    expect(loadPolicy(request).warnings.join('\n')).toContain('no project file is trusted');
  });

  it('is compiled again when it becomes trusted, and asks for the store to be watched', () => {
    expect(loadPolicy(request).files).toContain(request.layout.trust);
    const before = loadPolicy(request).digest;
    trust();
    expect(loadPolicy(request).digest).not.toBe(before);
  });
});
