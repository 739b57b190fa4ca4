import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { describe, expect, it } from 'vitest';
import {
  certificatesIn,
  isNewToNode,
  systemAuthorities,
  trusting,
} from '../../../../src/adapters/inspection/authorities.ts';
import { RunAuthority } from '../../../../src/adapters/inspection/run-authority.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const { certificate } = new RunAuthority('r');

describe('a file of authorities', () => {
  it('gives its certificates, and nothing else that stands in it', () => {
    const file = join(temporaryDirectory(), 'mixed.pem');
    const key = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n';
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    writeFileSync(file, `# mine\r\n${key}${certificate.replaceAll('\n', '\r\n')}${broken}`);
    expect(certificatesIn(file)).toEqual([certificate]);
  });

  it('that is none, or could keep its reader waiting, gives nothing', () => {
    const directory = temporaryDirectory();
    const at = (name: string) => join(directory, name);
    execFileSync('mkfifo', [at('fifo')]);
    mkdirSync(at('directory'));
    writeFileSync(at('large'), certificate + ' '.repeat(4 * 1024 * 1024));
    for (const name of ['fifo', 'directory', 'large', 'missing'])
      expect([name, certificatesIn(at(name))]).toEqual([name, []]);
    expect(certificatesIn('/dev/zero')).toEqual([]);
  });
});

describe('the authorities of the machine', () => {
  it('are new to Node but for those that it brings along', () => {
    expect(rootCertificates.map((one) => `${one.trim()}\n`).filter(isNewToNode)).toEqual([]);
    expect(isNewToNode(certificate)).toBe(true);
  });

  it('are those of Node and the system, and those that the environment names', () => {
    const file = join(temporaryDirectory(), 'own.pem');
    writeFileSync(file, certificate);
    const plain = systemAuthorities({});
    expect(plain.length).toBeGreaterThanOrEqual(rootCertificates.length);
    expect(systemAuthorities({ SSL_CERT_FILE: file })).toEqual([...plain, certificate]);
    expect(systemAuthorities({ NODE_EXTRA_CA_CERTS: file })).toEqual([...plain, certificate]);
    expect(trusting(plain)).toBeDefined();
  });
});
