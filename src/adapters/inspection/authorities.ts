import { X509Certificate } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

/**
 * Whom this machine trusts, as PEM: what Node brings along, the system's bundle, and the files that the daemon's own environment names as it
 * would for any program.
 */
export function systemAuthorities(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const named = [env['SSL_CERT_FILE'], env['NODE_EXTRA_CA_CERTS']].filter((path) => path?.startsWith('/'));
  const bundle = SYSTEM_BUNDLES.map((path) => blocksOf(readBounded(path))).find((found) => found.length > 0) ?? [];
  return unique([...rootCertificates, ...bundle, ...named.flatMap((path) => certificatesIn(path ?? ''))]);
}

/** The certificates of a file and nothing else of it; none when it is no file of certificates. Never waits, whatever the path names. */
export const certificatesIn = (path: string): string[] => blocksOf(readBounded(path)).filter(isCertificate);

/** Whether Node trusts it only when it is told to. The certificate is one of those that are read here. */
export function isNewToNode(certificate: string): boolean {
  // Read when something is inspected, and not by every daemon.
  nodesOwn ??= new Set(unique(rootCertificates));
  return !nodesOwn.has(certificate);
}
let nodesOwn: ReadonlySet<string> | undefined;

/** For a client that trusts them. */
export const trusting = (authorities: readonly string[]): SecureContext =>
  createSecureContext({ ca: [...authorities], minVersion: 'TLSv1.2' });

export const unique = (certificates: readonly string[]): string[] => [...new Set(certificates.map(plain))];

const blocksOf = (text: string): string[] => (text.match(CERTIFICATE) ?? []).map(plain);

function readBounded(path: string): string {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const about = fstatSync(file);
    const { size } = about;
    if (!about.isFile() || size > MOST_BYTES) return '';
    const bytes = Buffer.alloc(size);
    return bytes.toString('latin1', 0, readSync(file, bytes, 0, size, 0));
  } catch {
    return '';
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** With the lines in one form, so that the same certificate of two files is one. */
function plain(certificate: string): string {
  return `${certificate.replace(/\r/g, '').trim()}\n`;
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    return false;
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
/** Where distributions keep all of them in one file: Debian, Arch and Alpine; Fedora and Red Hat; SUSE; OpenSSL's own place. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const MOST_BYTES = 4 * 1024 * 1024;
