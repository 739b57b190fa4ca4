/**
 * The variables by which programs learn whom to trust. `NODE_EXTRA_CA_CERTS` adds to what its program knows; the others take the place of it, so theirs is
 * the whole bundle.
 */
export function inspectionVariables(offered: string): Record<string, string> {
  const bundle = `${offered}/ca-bundle.pem`;
  return {
    NODE_EXTRA_CA_CERTS: `${offered}/ca.pem`,
    ...Object.fromEntries(BUNDLE_VARIABLES.map((name) => [name, bundle])),
  };
}

/** OpenSSL and Go; curl; requests of Python; git; pip; npm; cargo; the tools of AWS; Deno. */
const BUNDLE_VARIABLES = [
  'SSL_CERT_FILE',
  'CURL_CA_BUNDLE',
  'REQUESTS_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'PIP_CERT',
  'npm_config_cafile',
  'CARGO_HTTP_CAINFO',
  'AWS_CA_BUNDLE',
  'DENO_CERT',
] as const;
