/** Variables that name a file of certificate authorities which takes the place of the usual ones: OpenSSL and Go; curl; requests of Python; git; pip; npm; cargo; the tools of AWS; Deno. */
export const AUTHORITY_BUNDLES = [
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

/** The one of Node, which adds to those that it brings along. */
export const ADDED_AUTHORITIES = 'NODE_EXTRA_CA_CERTS';
