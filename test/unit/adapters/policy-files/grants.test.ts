import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { addGrant, newGrant } from '../../../../src/adapters/grant-store/grant-store.ts';
import { type LoadRequest, loadPolicy } from '../../../../src/adapters/policy-files/load-policy.ts';
import { bootMoment } from '../../../../src/adapters/process/boot-clock.ts';
import { homeLayout } from '../../../../src/core/contract/home-layout.ts';
import { decidePath } from '../../../../src/core/engine/decide.ts';
import { endGrants } from '../../../../src/core/engine/end-grants.ts';
import { PolicyImage } from '../../../../src/core/engine/image.ts';
import type { Grant } from '../../../../src/core/policy/grants.ts';
import { bytes } from '../../../support/policy.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const uid = process.getuid!();
const POLICY =
  'version: 1\nname: mine\npolicies:\n  - { action: file_read, rules: [{ path: "/srv/**", effect: ask }] }\n';
let request: LoadRequest;
beforeEach(() => {
  const base = realpathSync(temporaryDirectory());
  for (const name of ['home', 'project', 'gk/state', 'gk/config']) mkdirSync(`${base}/${name}`, { recursive: true });
  const layout = homeLayout({ passwdHome: `${base}/home`, uid, env: { GATEKEEPER_HOME: `${base}/gk` } });
  request = {
    layout: { ...layout, systemPolicyDir: `${base}/none` },
    passwdHome: `${base}/home`,
    uid,
    cwd: `${base}/project`,
    grants: { run: 'own' },
  };
  writeFileSync(layout.userPolicy, POLICY, { mode: 0o600 });
});

const grant = (pattern: string, lasts: Parameters<typeof newGrant>[2] = 'always'): Grant => {
  const made = newGrant('file_read', pattern, lasts, uid);
  addGrant(request.layout.grants, made);
  return made;
};
const open = (more: Partial<LoadRequest> = {}): PolicyImage =>
  PolicyImage.open(loadPolicy({ ...request, ...more }).image, '', () => 0);
const effect = (image: PolicyImage) => decidePath(image, 'file_read', bytes('/srv/x')).effect;

describe('what is granted', () => {
  it('counts where it is asked for, and its store is one of the files', () => {
    const { digest, files } = loadPolicy(request);
    expect(files).toContain(request.layout.grants);
    grant('/srv/x');
    expect(effect(open())).toBe('allow');
    expect(loadPolicy(request).digest).not.toBe(digest);
    const { grants: _grants, ...without } = request;
    expect(loadPolicy(without).files).not.toContain(request.layout.grants);
    expect(effect(PolicyImage.open(loadPolicy(without).image, ''))).toBe('ask');
  });

  it('for a run counts for that run', () => {
    grant('/srv/x', { run: 'own' });
    expect(effect(open())).toBe('allow');
    expect(effect(open({ grants: { run: 'other' } }))).toBe('ask');
    expect(effect(open({ grants: {} }))).toBe('ask');
  });

  it('says when the first of it ends, and is left out when it has ended or belongs to another boot', () => {
    const now = bootMoment();
    grant('/srv/**', { ms: 9_000_000 });
    grant('/srv/x', { ms: 3_000_000 });
    const ends = loadPolicy(request).grantsEndAt! - now.ms;
    expect(ends).toBeGreaterThanOrEqual(3_000_000);
    expect(ends).toBeLessThan(9_000_000);
    const stale = [
      { until: now.ms - 1, boot: now.boot! },
      { until: now.ms + 9_000_000, boot: '0'.repeat(36) },
    ];
    const grants = stale.map((scope, index) => ({
      ...newGrant('file_read', '/srv/x', 'always', uid),
      id: `s${index}`,
      scope,
    }));
    writeFileSync(request.layout.grants, JSON.stringify({ v: 1, grants }));
    expect(effect(open())).toBe('ask');
    expect(loadPolicy(request).grantsEndAt).toBeUndefined();
  });

  it('is nothing, with a warning, when its store is not understood', () => {
    grant('/srv/x');
    writeFileSync(request.layout.grants, '{');
    expect(loadPolicy(request).warnings.join()).toMatch(/nothing is granted: .*grants\.json is not understood/);
    expect(effect(open())).toBe('ask');
  });

  it('is nothing, with a warning, when the policy does not compile with it', () => {
    // As many files as an image holds: there is no place for one more.
    const names = Array.from({ length: 63 }, (_, index) => `./p${index}.yaml`);
    for (const name of names)
      writeFileSync(`${request.layout.config}/${name}`, 'version: 1\nname: p\n', { mode: 0o600 });
    const compiles = (): boolean => {
      writeFileSync(request.layout.userPolicy, `${POLICY}extends: [${names.join()}]\n`, { mode: 0o600 });
      try {
        return loadPolicy(request).image.length > 0;
      } catch {
        return false;
      }
    };
    while (!compiles()) names.pop();
    expect(names.length).toBeGreaterThan(50);
    grant('/srv/x');
    expect(loadPolicy(request).warnings.join()).toContain('with the grants the policy does not compile');
    expect(effect(open())).toBe('ask');
  });

  it('can be ended in an image without its sources, all but what is named', () => {
    const kept = grant('/srv/x');
    const { image } = loadPolicy(request);
    const before = Buffer.from(image).toString('hex');
    expect(endGrants(image, new Set([kept.id]))).toBeUndefined();
    const ended = endGrants(Buffer.from(image), new Set([`${kept.id}0`]))!;
    expect(effect(PolicyImage.open(ended, '', () => 1))).toBe('ask');
    expect(endGrants(ended, new Set())).toBeUndefined();
    expect(Buffer.from(image).toString('hex')).toBe(before);
  });
});
