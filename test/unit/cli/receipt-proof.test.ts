import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { AuditLog } from '../../../src/adapters/audit-log/audit-log.ts';
import { findEntry } from '../../../src/adapters/audit-log/entries.ts';
import { openSigningKey } from '../../../src/adapters/keys/signing-key.ts';
import { proofOf } from '../../../src/cli/receipt-proof.ts';
import { auditLogFixture } from '../../support/audit-log-fixture.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let audit = '';
let log: AuditLog;
let before = '';
const entry = (target: string) => ({
  ...({ action: 'file_read', verdict: 'deny', source: 'rule', target } as const),
  time: '2026-11-21T06:00:00.000Z',
});

/** A log that this user's key began, and another one goes on with; the files are small. */
beforeAll(async () => {
  const home = temporaryDirectory();
  audit = `${home}/state/audit`;
  vi.stubEnv('GATEKEEPER_HOME', home);
  for (const path of [audit, `${home}/state/keys`]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const fixture = auditLogFixture(audit, `${home}/state/keys`);
  before = fixture.fingerprint;
  log = await fixture.open({ segmentBytes: 2000 });
  await log.append([entry('/p/1')]);
  await log.changeKey(openSigningKey(temporaryDirectory()));
  for (let at = 0; at < 8; at++) await log.append([entry(`/p/${at}`)]);
});

afterAll(async () => {
  await log.close();
  vi.unstubAllEnvs();
});

const proof = (seq: number, change: (line: string) => string = (line) => line) => {
  const { line } = findEntry(audit, seq)!;
  const changed = change(line);
  return proofOf(audit, JSON.parse(changed), changed);
};

describe('the signature of an entry', () => {
  test.each([1, 2, 3])('is by the key that is trusted here: entry %i', (seq) => {
    expect(proof(seq)).toMatchObject({ hashFits: true, signature: 'own', signer: before });
  });

  test.each([4, 11])('is by a key that the trusted one handed over to: entry %i', (seq) => {
    const { signature, signer } = proof(seq);
    expect(signature).toBe('cross-signed');
    expect(signer).not.toBe(before);
  });

  test('of another entry, or by the key before, is by no key of this log', () => {
    const other = findEntry(audit, 2)!.record.sig!;
    const swap = (line: string) => line.replace(/"sig":"[^"]+"/, `"sig":"${other}"`);
    for (const seq of [3, 5]) expect(proof(seq, swap)).toMatchObject({ signature: 'other', signer: null });
  });

  test('is not believed where no key of the log is trusted', () => {
    const home = temporaryDirectory();
    vi.stubEnv('GATEKEEPER_HOME', home);
    try {
      expect(proof(2)).toMatchObject({ signature: 'unknown' });
      mkdirSync(`${home}/state/keys`, { recursive: true, mode: 0o700 });
      openSigningKey(`${home}/state/keys`);
      expect(proof(2)).toMatchObject({ signature: 'other', signer: before });
      expect(proof(5)).toMatchObject({ signature: 'other' });
    } finally {
      vi.stubEnv('GATEKEEPER_HOME', audit.replace('/state/audit', ''));
    }
  });
});
