import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect as connectPlain, createServer } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type SecureContext, TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { RunAuthority } from '../../../../src/adapters/inspection/run-authority.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** What a client that trusts these authorities sees of a server with the context. */
async function handshake(context: SecureContext, options: ConnectionOptions): Promise<X509Certificate> {
  const server = createServer((socket) => {
    const secure = new TLSSocket(socket, { isServer: true, secureContext: context });
    secure.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connectPlain((server.address() as AddressInfo).port, '127.0.0.1');
  try {
    return await new Promise((resolve, reject) => {
      const secure = connect({ socket, ...options });
      secure.once('error', reject);
      secure.once('secureConnect', () => resolve(new X509Certificate(secure.getPeerCertificate().raw)));
    });
  } finally {
    socket.destroy();
    server.close();
  }
}

describe('the authority of a run', () => {
  it('is what strict readers take for one, and bears the name of its run', () => {
    const file = join(temporaryDirectory(), 'ca.pem');
    writeFileSync(file, new RunAuthority('01RUN').certificate);
    const openssl = (...argv: string[]) => execFileSync('openssl', argv, { encoding: 'utf8' });
    expect(openssl('verify', '-x509_strict', '-check_ss_sig', '-CAfile', file, file)).toContain(': OK');
    const text = openssl('x509', '-in', file, '-noout', '-text');
    expect(text).toMatch(/Subject: CN ?= ?gatekeeper run 01RUN/);
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
    expect(text).toContain('NIST CURVE: P-256');
  });

  it('has a key of its own in each run, and no serial number twice', () => {
    const [one, other] = [new RunAuthority('a'), new RunAuthority('a')].map(
      ({ certificate }) => new X509Certificate(certificate),
    );
    expect(one?.publicKey.export({ type: 'spki', format: 'pem' })).not.toBe(
      other?.publicKey.export({ type: 'spki', format: 'pem' }),
    );
    expect(one?.serialNumber).not.toBe(other?.serialNumber);
  });
});

describe('the certificate of a host', () => {
  it.each([
    ['a name', { name: 'api.example.com' }, { servername: 'api.example.com' }],
    [
      'a long name',
      { name: `${'a'.repeat(60)}.${'b'.repeat(60)}.example` },
      { servername: `${'a'.repeat(60)}.${'b'.repeat(60)}.example` },
    ],
    ['an IPv4 address', { address: Uint8Array.of(192, 0, 2, 7) }, { host: '192.0.2.7' }],
    [
      'an IPv6 address',
      { address: Uint8Array.of(0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 1) },
      { host: '2001:db8::1' },
    ],
  ])('of %s is taken for that host, by clients that trust the authority', async (_title, subject, options) => {
    const authority = new RunAuthority('r');
    const found = await handshake(authority.contextFor(subject), { ca: authority.certificate, ...options });
    expect(found.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
    expect(found.ca).toBe(false);
  });

  it('is not taken by clients of another run, and not for another host', async () => {
    const [one, other] = [new RunAuthority('a'), new RunAuthority('b')];
    const context = one.contextFor({ name: 'a.example' });
    await expect(handshake(context, { ca: other.certificate, servername: 'a.example' })).rejects.toThrow(
      /verify|issuer/,
    );
    await expect(handshake(context, { ca: one.certificate, servername: 'b.example' })).rejects.toThrow(/altnames/);
    await expect(handshake(context, { servername: 'a.example' })).rejects.toThrow(/verify|issuer/);
  });

  it('holds for strict verifiers', async () => {
    const directory = temporaryDirectory();
    const authority = new RunAuthority('r');
    const found = await handshake(authority.contextFor({ name: 'a.example' }), {
      ca: authority.certificate,
      servername: 'a.example',
    });
    writeFileSync(join(directory, 'ca.pem'), authority.certificate);
    writeFileSync(join(directory, 'host.pem'), found.toString());
    const argv = [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-verify_hostname',
      'a.example',
      '-CAfile',
      'ca.pem',
    ];
    expect(execFileSync('openssl', [...argv, 'host.pem'], { cwd: directory, encoding: 'utf8' })).toContain('OK');
  });

  it('is made once, and made anew long before it ends', () => {
    let now = Date.now();
    const authority = new RunAuthority('r', { now: () => now });
    const first = authority.contextFor({ name: 'a.example' });
    expect(authority.contextFor({ name: 'a.example' })).toBe(first);
    expect(authority.contextFor({ name: 'b.example' })).not.toBe(first);
    now += 4 * DAY_MS;
    expect(authority.contextFor({ name: 'a.example' })).not.toBe(first);
  });

  it('is forgotten when there are very many', () => {
    const authority = new RunAuthority('r', { mostHosts: 3 });
    const first = authority.contextFor({ name: 'first.example' });
    for (let number = 0; number < 3; number++) authority.contextFor({ name: `h${number}.example` });
    expect(authority.contextFor({ name: 'first.example' })).not.toBe(first);
  });
});
