import { resolve } from 'node:path';

/** The files of certificate authorities that this environment names, so that a run whose requests are looked into goes on to trust them. */
export function authorityFiles(env: NodeJS.ProcessEnv): { caFiles?: string[] } {
  const named = VARIABLES.flatMap((name) => env[name] || []).map((path) => resolve(path));
  const paths = [...new Set(named)].filter((path) => path.length <= LONGEST_PATH);
  return paths.length === 0 ? {} : { caFiles: paths };
}

const VARIABLES = [
  'SSL_CERT_FILE',
  'NODE_EXTRA_CA_CERTS',
  'CURL_CA_BUNDLE',
  'REQUESTS_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'PIP_CERT',
  'npm_config_cafile',
  'CARGO_HTTP_CAINFO',
  'AWS_CA_BUNDLE',
  'DENO_CERT',
] as const;
const LONGEST_PATH = 4096;
