import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { certificatesIn } from '../../../src/adapters/inspection/authorities.ts';
import { RunAuthority } from '../../../src/adapters/inspection/run-authority.ts';
import { Inspections } from '../../../src/daemon/inspections.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const own = new RunAuthority('of the user').certificate;
const subjects = (path: string) => certificatesIn(path).map((one) => new X509Certificate(one).subject);

describe('a run whose requests are looked into', () => {
  it('is offered its authority and those of its user, and nothing else of their files', () => {
    const offered = temporaryDirectory();
    const named = join(offered, 'named');
    writeFileSync(named, `-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n${own}`);
    const variables = new Inspections().begin('01RUN', offered, [named, join(offered, 'missing')]);
    const files = ['ca.pem', 'ca-bundle.pem'].map((name) => join(offered, name));
    expect([...new Set(Object.values(variables))]).toEqual(files);
    expect(variables).toMatchObject({ NODE_EXTRA_CA_CERTS: files[0], SSL_CERT_FILE: files[1] });
    expect(subjects(files[0] ?? '')).toEqual(['CN=gatekeeper run 01RUN', 'CN=gatekeeper run of the user']);
    expect(subjects(files[1] ?? '').length).toBeGreaterThan(100);
    for (const file of files) {
      expect(readFileSync(file, 'latin1')).not.toContain('PRIVATE');
      expect(statSync(file).mode & 0o777).toBe(0o444);
    }
  });

  it('has what the daemon holds for it until it is over', () => {
    const inspections = new Inspections();
    inspections.begin('a', temporaryDirectory(), []);
    inspections.giveSecrets('a', { KEY: 'one' });
    inspections.giveSecrets('a', { OTHER: 'two' });
    expect(inspections.tlsOf('a')).toBeDefined();
    expect([inspections.secretOf('a', 'KEY'), inspections.secretOf('a', 'OTHER')]).toEqual(['one', 'two']);
    expect([inspections.tlsOf('b'), inspections.secretOf('b', 'KEY')]).toEqual([undefined, undefined]);
    inspections.forget('a');
    expect([inspections.tlsOf('a'), inspections.secretOf('a', 'KEY')]).toEqual([undefined, undefined]);
  });

  it('trusts what the machine and its user trust', () => {
    const inspections = new Inspections();
    const file = join(temporaryDirectory(), 'own.pem');
    writeFileSync(file, own);
    for (const run of ['a', 'b']) inspections.begin(run, temporaryDirectory(), []);
    inspections.begin('c', temporaryDirectory(), [file]);
    const [a, b, c] = ['a', 'b', 'c'].map((run) => inspections.tlsOf(run)?.trusted());
    expect(a).toBeDefined();
    expect(a).toBe(b);
    expect(c).not.toBe(a);
  });
});
