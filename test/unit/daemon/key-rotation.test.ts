import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { AuditLog } from '../../../src/adapters/audit-log/audit-log.ts';
import { keyOfLog } from '../../../src/adapters/audit-log/key-of-log.ts';
import { addPin, readPins } from '../../../src/adapters/keys/pins.ts';
import { openSigningKey, type SigningKey } from '../../../src/adapters/keys/signing-key.ts';
import { KeyRotation } from '../../../src/daemon/key-rotation.ts';
import { denied } from '../../support/audit-chain.ts';
import { auditLogFixture } from '../../support/audit-log-fixture.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let layout: { audit: string; keys: string; pinFile: string };
let log: AuditLog;
let key: SigningKey;
const secrets = () => readdirSync(layout.keys).filter((name) => name.endsWith('.key'));
const inForce = () => Buffer.from(keyOfLog(layout.audit)!, 'base64');

beforeEach(async () => {
  layout = { audit: temporaryDirectory(), keys: temporaryDirectory(), pinFile: `${temporaryDirectory()}/pin` };
  const fixture = auditLogFixture(layout.audit, layout.keys);
  log = await fixture.open({ retryMs: 10 });
  key = openSigningKey(layout.keys);
  addPin(layout.pinFile, key.fingerprint);
  await log.append([denied('/a')]);
});

describe('the key', () => {
  it('is changed, and the old one signs no more', async () => {
    const rotation = new KeyRotation({ layout, log, key });
    const { fingerprint, fingerprintBefore } = await rotation.rotate();
    expect(fingerprintBefore).toBe(key.fingerprint);
    expect(rotation.key.fingerprint).toBe(fingerprint);
    expect(() => key.sign('text')).toThrow('destroyed');
    expect(inForce().equals(rotation.key.publicKey)).toBe(true);
    expect(openSigningKey(layout.keys).fingerprint).toBe(fingerprint);
    await log.close();
  });

  it('is changed by one at a time', async () => {
    const rotation = new KeyRotation({ layout, log, key });
    const first = rotation.rotate();
    await expect(rotation.rotate()).rejects.toMatchObject({ code: 'GK_AUDIT_ROTATE' });
    await first;
    await log.close();
  });

  it('is not changed while the log cannot be written', async () => {
    const stopped = { changeKey: log.changeKey.bind(log), failure: new Error('full') as never };
    const rotation = new KeyRotation({ layout, log: stopped, key });
    await expect(rotation.rotate()).rejects.toMatchObject({ code: 'GK_AUDIT_ROTATE' });
    expect(secrets()).toEqual(['ed25519.key']);
    expect(rotation.key.sign('text')).not.toBe('');
    await log.close();
  });

  it('is what it was when the log does not take the entry', async () => {
    const refusing = { changeKey: () => Promise.reject(new Error('full')), failure: undefined };
    const rotation = new KeyRotation({ layout, log: refusing, key });
    await expect(rotation.rotate()).rejects.toThrow('full');
    expect(secrets()).toEqual(['ed25519.key']);
    expect(readPins(layout.pinFile)).toEqual([key.fingerprint]);
    expect(rotation.key.sign('text')).not.toBe('');
    await log.close();
  });

  it('has its old secret kept until a checkpoint by the new one is on the disk, and is put in order by the next attempt', async () => {
    const rotation = new KeyRotation({ layout, log, key });
    const checkpoint = `${layout.audit}/checkpoint`;
    rmSync(checkpoint, { force: true });
    mkdirSync(`${checkpoint}/in-the-way`, { recursive: true });
    await expect(rotation.rotate()).rejects.toThrow();
    expect(secrets()).toEqual(['ed25519.key', 'ed25519.next.key']);
    const fresh = rotation.key.fingerprint;
    rmSync(checkpoint, { recursive: true });
    await vi.waitFor(() => log.append([denied('/b')]), { timeout: 20_000 });
    await log.writeCheckpoint();
    const { fingerprintBefore } = await rotation.rotate();
    expect(fingerprintBefore).toBe(fresh);
    expect(secrets()).toEqual(['ed25519.key']);
    expect(readPins(layout.pinFile)).toEqual([key.fingerprint, fresh, rotation.key.fingerprint]);
    await log.close();
  });
});
