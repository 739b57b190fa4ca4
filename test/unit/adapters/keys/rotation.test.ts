import { existsSync, linkSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { keyOfLog } from '../../../../src/adapters/audit-log/key-of-log.ts';
import { readRecords } from '../../../../src/adapters/audit-log/read.ts';
import { addPin, readPins, requirePinned } from '../../../../src/adapters/keys/pins.ts';
import { readPublicKey, readPublicKeyFile, verifyWith } from '../../../../src/adapters/keys/public-key.ts';
import {
  dropRotation,
  FINISHING,
  finishRotation,
  type KeyPlace,
  prepareRotation,
  resumeRotation,
} from '../../../../src/adapters/keys/rotation.ts';
import { openSigningKey } from '../../../../src/adapters/keys/signing-key.ts';
import { recordStatement } from '../../../../src/core/audit/chain.ts';
import { keyAfter } from '../../../../src/core/audit/key-change.ts';
import { denied } from '../../../support/audit-chain.ts';
import { auditLogFixture } from '../../../support/audit-log-fixture.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/** A log with its keys, each in a directory of its own, and a pin. */
async function logAndKeys() {
  const [directory, keys] = [temporaryDirectory(), temporaryDirectory()];
  const place: KeyPlace = { directory: keys, pinFile: `${temporaryDirectory()}/deeper/audit.pin` };
  const fixture = auditLogFixture(directory, keys);
  const old = openSigningKey(keys);
  addPin(place.pinFile, old.fingerprint);
  const log = await fixture.open();
  await log.append([denied('/a')]);
  return { directory, place, old, log };
}

/** As a daemon does at its start, after a crash; then everything signs and verifies along the chain of keys. */
async function startAgain({ directory, place }: { directory: string; place: KeyPlace }) {
  resumeRotation(place, keyOfLog(directory));
  const key = openSigningKey(place.directory);
  requirePinned(place.pinFile, key.fingerprint);
  expect(keyOfLog(directory)).toBe(base64(key.publicKey));
  const log = await auditLogFixture(directory, place.directory).open();
  await log.append([denied('/after')]);
  await log.close();
  let current: { log: string; key: string } | undefined;
  for (const record of [...readRecords(directory)].flat()) {
    current ??= { log: record.log!, key: record.key! };
    const verify = verifyWith(Buffer.from(current.key, 'base64'));
    if (record.sig !== undefined) expect(verify(recordStatement(record.hash), record.sig)).toBe(true);
    if (record.action !== 'key_change') continue;
    const next = keyAfter(record, current, (by, text, sig) => verifyWith(Buffer.from(by, 'base64'))(text, sig));
    current = { ...current, key: next! };
  }
  expect(current!.key).toBe(base64(key.publicKey));
  return { key, names: readdirSync(place.directory).sort() };
}

describe('a rotation of keys', () => {
  it('leaves the new key, the former public keys and both pins; the old secret is gone', async () => {
    const { directory, place, old, log } = await logAndKeys();
    const secret = readFileSync(`${place.directory}/ed25519.key`);
    linkSync(`${place.directory}/ed25519.key`, `${temporaryDirectory()}/held`); // so that its number is not used again
    const fresh = prepareRotation(place);
    await log.changeKey(fresh);
    finishRotation(place);
    await log.close();
    const { key, names } = await startAgain({ directory, place });
    expect(key.fingerprint).toBe(fresh.fingerprint);
    expect(key.fingerprint).not.toBe(old.fingerprint);
    const former = names.find((name) => /^ed25519-[0-9a-f]{16}\.pub$/.test(name))!;
    expect(names).toEqual([former, 'ed25519.key', 'ed25519.pub']);
    expect(readPublicKeyFile(`${place.directory}/${former}`)).toEqual(Buffer.from(old.publicKey));
    expect(readPins(place.pinFile)).toEqual([old.fingerprint, fresh.fingerprint]);
    expect(readFileSync(place.pinFile, 'utf8')).toMatch(/^# /);
    expect(readFileSync(`${place.directory}/ed25519.key`).equals(secret)).toBe(false);
  });

  it('overwrites the old secret where it lies', async () => {
    const { place, log } = await logAndKeys();
    const path = `${place.directory}/ed25519.key`;
    const secret = readFileSync(path);
    const next = prepareRotation(place);
    await log.changeKey(next);
    await log.close();
    for (const step of FINISHING.slice(0, -1)) step(place, next.publicKey);
    expect(readFileSync(path).length).toBe(secret.length);
    expect(readFileSync(path).equals(secret)).toBe(false);
  });

  it.each(['before the entry', ...FINISHING.map((_step, at) => at), FINISHING.length])(
    'can be gone on with from a crash at step %s',
    async (point) => {
      const { directory, place, old, log } = await logAndKeys();
      const fresh = prepareRotation(place);
      const steps = typeof point === 'number' ? point : -1;
      if (steps >= 0) await log.changeKey(fresh);
      for (const step of FINISHING.slice(0, Math.max(0, steps))) step(place, fresh.publicKey);
      const { key, names } = await startAgain({ directory, place });
      expect(key.fingerprint).toBe(steps < 0 ? old.fingerprint : fresh.fingerprint);
      expect(names.filter((name) => /next|new$/.test(name))).toEqual([]);
      expect(names.length).toBe(steps < 0 ? 2 : 3);
      await log.close();
    },
  );

  it('that is given up leaves everything as it was', async () => {
    const { directory, place, old, log } = await logAndKeys();
    prepareRotation(place);
    dropRotation(place);
    expect(readdirSync(place.directory).sort()).toEqual(['ed25519.key', 'ed25519.pub']);
    await log.close();
    expect((await startAgain({ directory, place })).key.fingerprint).toBe(old.fingerprint);
  });

  it('does not touch a key whose other name a crash left', async () => {
    const { directory, place, old, log } = await logAndKeys();
    await log.close();
    linkSync(`${place.directory}/ed25519.key`, `${place.directory}/ed25519.key.1234.new`);
    writeFileSync(`${place.directory}/ed25519.next.key.77.new`, Buffer.alloc(20, 7));
    const { key, names } = await startAgain({ directory, place });
    expect(key.fingerprint).toBe(old.fingerprint);
    expect(names).toEqual(['ed25519.key', 'ed25519.pub']);
  });

  it('follows another one', async () => {
    const { directory, place, log } = await logAndKeys();
    for (let turn = 0; turn < 2; turn++) {
      await log.changeKey(prepareRotation(place));
      finishRotation(place);
    }
    await log.close();
    expect((await startAgain({ directory, place })).names.length).toBe(4);
    expect(readPins(place.pinFile).length).toBe(3);
  });
});

describe('the pinned key', () => {
  const at = () => `${temporaryDirectory()}/audit.pin`;
  const [first, second] = [openSigningKey(temporaryDirectory()), openSigningKey(temporaryDirectory())];

  it('is whatever comes first, and stands from then on', () => {
    const path = at();
    requirePinned(path, first.fingerprint);
    addPin(path, first.fingerprint);
    addPin(path, first.fingerprint);
    expect(readPins(path)).toEqual([first.fingerprint]);
    requirePinned(path, first.fingerprint);
    expect(() => requirePinned(path, second.fingerprint)).toThrow(`the signing key is ${second.fingerprint}`);
    expect(() => requirePinned(path, undefined)).toThrow('the signing key is gone');
  });

  it('is not believed to be there when the file holds something else', () => {
    const path = at();
    writeFileSync(path, '# a comment\nrubbish\n');
    expect(() => requirePinned(path, first.fingerprint)).toThrow(expect.objectContaining({ code: 'GK_AUDIT_PIN' }));
  });

  it('may have comments and dates beside it', () => {
    const path = at();
    writeFileSync(path, `\n# mine\n${first.fingerprint}  2026-01-01 of this machine`);
    addPin(path, second.fingerprint);
    expect(readPins(path)).toEqual([first.fingerprint, second.fingerprint]);
  });
});

describe('a secret in memory', () => {
  it('signs no more when it was destroyed', () => {
    const key = openSigningKey(temporaryDirectory());
    key.destroy();
    key.destroy();
    expect(() => key.sign('text')).toThrow('destroyed');
  });

  it('is in locked memory that is in no core dump, and that nothing can read while nothing is signed', () => {
    // Keys of other tests may be collected meanwhile, but not each time.
    const more = Array.from({ length: 5 }, () => {
      const before = guarded();
      const keys = Array.from({ length: 3 }, () => openSigningKey(temporaryDirectory()));
      const after = guarded();
      for (const key of keys) key.destroy();
      return after - before;
    });
    expect(Math.max(...more)).toBeGreaterThanOrEqual(3);
  });

  it('is not taken from a next key that the log does not name', () => {
    const at = temporaryDirectory();
    openSigningKey(at);
    renameSync(`${at}/ed25519.key`, `${at}/ed25519.next.key`);
    resumeRotation({ directory: at, pinFile: `${at}/pin` }, base64(Buffer.alloc(32)));
    expect(existsSync(`${at}/ed25519.next.key`)).toBe(false);
    expect(readPublicKey(at)).toBeDefined();
  });
});

/** Mappings without any access that are left out of core dumps and, as far as the user may lock memory, never swapped: proc_pid_smaps(5), `dd` and `lo`. */
function guarded(): number {
  const mappings = readFileSync('/proc/self/smaps', 'utf8').split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/);
  const [, most = '0'] = /^Max locked memory +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  const flags = most === 'unlimited' || Number(most) >= 2 ** 23 ? /^VmFlags:.* lo .*\bdd\b/m : /^VmFlags:.*\bdd\b/m;
  return mappings.filter((one) => /^\S+ ---p /.test(one) && flags.test(one)).length;
}
