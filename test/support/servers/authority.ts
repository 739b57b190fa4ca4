import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of PEM files: an authority of the test's own, and the key and certificate of a server that it vouches for. */
export type Authority = {
  ca: string;
  key: string;
  certificate: string /** This machine's authorities and the own one. */;
  bundle: string;
};

export function makeAuthority(directory: string, names: readonly string[]): Authority {
  const at = (name: string) => join(directory, name);
  const openssl = (...argv: string[]) => execFileSync('openssl', argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const constraints = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.crt'),
    '-subj',
    '/CN=test authority',
    '-days',
    '2',
    ...constraints,
  );
  openssl('req', ...newKey, '-keyout', at('server.key'), '-out', at('server.csr'), '-subj', `/CN=${names[0]}`);
  writeFileSync(
    at('names'),
    `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}\nbasicConstraints=CA:FALSE\n`,
  );
  openssl(
    'x509',
    '-req',
    '-in',
    at('server.csr'),
    '-CA',
    at('ca.crt'),
    '-CAkey',
    at('ca.key'),
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    at('names'),
    '-out',
    at('server.crt'),
  );
  const system = existsSync(SYSTEM_BUNDLE) ? readFileSync(SYSTEM_BUNDLE, 'utf8') : '';
  writeFileSync(at('bundle.crt'), system + readFileSync(at('ca.crt'), 'utf8'));
  return { ca: at('ca.crt'), key: at('server.key'), certificate: at('server.crt'), bundle: at('bundle.crt') };
}

export const SYSTEM_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
