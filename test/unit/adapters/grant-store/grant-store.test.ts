import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { addGrant, readGrants, removeGrants } from '../../../../src/adapters/grant-store/grant-store.ts';
import { bootMoment } from '../../../../src/adapters/process/boot-clock.ts';
import { type Grant, isInForce, timed } from '../../../../src/core/policy/grants.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const boot = '01234567-89ab-cdef-0123-456789abcdef';
const now = { boot, ms: 50_000 };
const grant = (more: Partial<Grant> = {}): Grant => ({
  id: 'a1',
  action: 'shell_exec',
  pattern: 'git push origin main',
  scope: { always: true },
  at: '2026-01-02T03:04:05.000Z',
  by: 1000,
  ...more,
});
let store: string;
beforeEach(() => {
  store = `${temporaryDirectory()}/state/grants.json`;
});

describe('the store of grants', () => {
  it('holds nothing while it does not exist', () => {
    expect(readGrants(store)).toEqual([]);
    expect(removeGrants(store, () => true)).toEqual([]);
  });

  it('keeps what was granted, for its owner alone, until it is revoked', () => {
    addGrant(store, grant(), now);
    addGrant(store, grant({ id: 'a2', scope: { run: 'r' } }), now);
    expect(readGrants(store)).toEqual([grant(), grant({ id: 'a2', scope: { run: 'r' } })]);
    expect(statSync(store).mode & 0o077).toBe(0);
    expect(removeGrants(store, ({ id }) => id === 'a1')).toEqual([grant()]);
    expect(readGrants(store).map(({ id }) => id)).toEqual(['a2']);
  });

  it('forgets what has ended when something is added', () => {
    addGrant(store, grant({ id: 'ended', scope: { until: 49_000, boot } }), { boot, ms: 1 });
    addGrant(store, grant({ id: 'soon', scope: { until: 50_001, boot } }), { boot, ms: 1 });
    addGrant(store, grant({ id: 'elsewhere', scope: { until: 90_000, boot: 'another' } }), { boot, ms: 1 });
    expect(readGrants(store).map(({ id }) => id)).toEqual(['ended', 'soon', 'elsewhere']);
    addGrant(store, grant({ id: 'last' }), now);
    expect(readGrants(store).map(({ id }) => id)).toEqual(['soon', 'last']);
  });

  const whole = grant();
  const { by: _by, ...nobody } = whole;
  it.each<[string, unknown]>([
    ['is of another version', { v: 2, grants: [] }],
    ['says more than it may', { v: 1, grants: [], and: 1 }],
    ['holds no list', { v: 1, grants: {} }],
    ['is null', null],
    ['has a grant that lacks something', { v: 1, grants: [nobody] }],
    ['has a grant with a condition that is not known', { v: 1, grants: [{ ...whole, only: 'monday' }] }],
    ['has a grant with two scopes', { v: 1, grants: [{ ...whole, scope: { always: true, run: 'r' } }] }],
    ['has a grant without a scope', { v: 1, grants: [{ ...whole, scope: {} }] }],
    ['has a grant that is said not to be for always', { v: 1, grants: [{ ...whole, scope: { always: false } }] }],
    ['has a grant that ends at no number', { v: 1, grants: [{ ...whole, scope: { until: '9', boot } }] }],
    ['has a grant that ends beyond all time', { v: 1, grants: [{ ...whole, scope: { until: 1e15, boot } }] }],
    ['has an action that is none', { v: 1, grants: [{ ...whole, action: 'toString' }] }],
    ['has an action that nothing asks about', { v: 1, grants: [{ ...whole, action: 'tool_call' }] }],
    ['has a pattern that is none', { v: 1, grants: [{ ...whole, action: 'file_read', pattern: '/a/../b' }] }],
    ['has two grants of one name', { v: 1, grants: [whole, whole] }],
    ['has an identifier that is none', { v: 1, grants: [{ ...whole, id: 'A:1' }] }],
  ])('believes nothing of a file that %s, and does not write over it', (_name, value) => {
    addGrant(store, whole, now);
    const text = JSON.stringify(value);
    writeFileSync(store, text);
    expect(() => readGrants(store)).toThrow('is not understood');
    expect(() => addGrant(store, grant({ id: 'new' }), now)).toThrow('is not understood');
    expect(() => removeGrants(store, () => true)).toThrow('is not understood');
    expect(readFileSync(store, 'utf8')).toBe(text);
  });

  it('believes nothing of a file that was cut', () => {
    addGrant(store, whole, now);
    const text = readFileSync(store, 'utf8');
    for (let length = 0; length < text.trimEnd().length; length += 7) {
      writeFileSync(store, text.slice(0, length));
      expect(() => readGrants(store)).toThrow('is not understood');
    }
  });

  it('keeps what two processes add at once', () => {
    const module = new URL('../../../../src/adapters/grant-store/grant-store.ts', import.meta.url).href;
    const script = `
      const { addGrant } = await import(${JSON.stringify(module)});
      const grant = ${JSON.stringify(whole)};
      for (let i = 0; i < 20; i++) addGrant(${JSON.stringify(store)}, { ...grant, id: process.argv.at(-1) + i }, ${JSON.stringify(now)});`;
    const worker = `"$0" --import tsx --input-type=module -e "$1"`;
    execFileSync('bash', ['-c', `${worker} a & ${worker} b & wait -n && wait -n`, process.execPath, script]);
    expect(readGrants(store)).toHaveLength(40);
  });
});

describe('a grant', () => {
  it('for a run holds for that run alone', () => {
    const own = grant({ scope: { run: 'one' } });
    expect([isInForce(own, now, 'one'), isInForce(own, now, 'other'), isInForce(own, now)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('for a while ends by the clock since boot, and with the boot', () => {
    const timedOne = grant({ scope: { until: 50_001, boot } });
    expect(isInForce(timedOne, now)).toBe(true);
    expect(isInForce(timedOne, { boot, ms: 50_001 })).toBe(false);
    expect(isInForce(timedOne, { boot: 'another', ms: 1 })).toBe(false);
    expect(isInForce(timedOne, { boot: undefined, ms: 1 })).toBe(false);
  });

  it('never becomes one without an end in the image, however short it is', () => {
    expect(timed(grant({ scope: { until: 1, boot } })).until).toBe(1);
    expect(timed(grant({ scope: { until: 50_001, boot } })).until).toBe(51);
    expect(timed(grant()).until).toBe(0);
  });
});

describe('the clock since boot', () => {
  it('is the one that the kernel shows, and knows its boot', () => {
    const seconds = () => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    const before = seconds();
    const { boot: own, ms } = bootMoment();
    expect(ms / 1000).toBeGreaterThanOrEqual(before - 0.01);
    expect(ms / 1000).toBeLessThanOrEqual(seconds() + 0.01);
    expect(own).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  });
});
