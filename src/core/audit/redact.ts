/**
 * Takes obvious secrets out of a command's text before it is hashed and written: header values that carry credentials, options and
 * assignments named like a secret, user information and queries of URLs, keys of well-known forms. What it misses is in the log, which is
 * 0600 and denied to every run: this is a courtesy to whoever reads or exports it. Nothing of what is taken out stays, no digest either: a short
 * secret could be found by trying.
 */
export function redact(text: string): string {
  let out = text;
  for (const [part, pattern, replacement] of PATTERNS)
    if (out.includes(part)) out = out.replace(pattern, replacement as string);
  return out;
}

function hideUser(url: string): string {
  const end = url.lastIndexOf('@');
  return end < 0 ? url : `${url.slice(0, url.indexOf('://') + 3)}${HIDDEN}${url.slice(end)}`;
}

function hideQuery(url: string): string {
  const at = url.indexOf('?');
  return at < 0 || at === url.length - 1 ? url : `${url.slice(0, at)}?${HIDDEN}`;
}

/** A JSON Web Token has parts; anything in base64 may begin as one. */
function hideSigned(token: string): string {
  return token.includes('.') ? HIDDEN : token;
}

const HIDDEN = '[redacted]';
/** Of options, variables and members: words that end so. `bypass` is none. */
const SECRET_NAME = String.raw`[\w.-]{0,32}(?:password|passwd|passphrase|(?<![a-z])pass|_pwd|token|secret|jwt|credential|_auth|(?:api|access|account|auth|client|encryption|license|master|private|secret|service|shared|signing|storage)[_-]?key(?:_base)?)s?`;
/** A value in quotes of its own, also of those within a word in single quotes (`'\''`), or up to what ends it. */
const VALUE = String.raw`(?:'\\''[^']{0,4096}'\\''|\\?"[^"]{0,4096}"|'[^']{0,4096}'|\\?['"]?[^\s'"&;,})]+)`;
/** What a header is called that carries a credential. */
const HEADER = String.raw`[\w-]{0,48}(?:token|key|secret|auth|password|cookie|session|signature)[\w-]{0,16}`;

/**
 * In a command's canonical text a word with blanks stands in single quotes, so a value ends at a quote or a blank. The agent
 * writes these texts: every repetition that could be tried again from many places has a bound, so that the cost stays linear. Without the text that stands first
 * there is nothing to be found, which is quicker to see.
 */
const PATTERNS: readonly (readonly [part: string, RegExp, string | ((found: string) => string)])[] = [
  // -----BEGIN … PRIVATE KEY-----, up to its end where there is one
  [
    '-----BEGIN',
    /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----)){0,32768}(?:-----END [A-Z0-9 ]{0,60}-----)?/g,
    HIDDEN,
  ],
  // `Authorization: Bearer x`, `x-api-key: y`, `Cookie: …` up to the end of the word
  [
    ':',
    /\b((?:proxy-)?authorization|(?:set-)?cookie|private-token|x-[\w-]{0,24}(?:key|token|auth)) {0,4}: {0,4}[^'"]+/gi,
    `$1: ${HIDDEN}`,
  ],
  // -H 'any-token: x'
  [
    ':',
    new RegExp(String.raw`((?:\s-H ?|\s--header[ =])['"\\]{0,4}${HEADER}) {0,4}: {0,4}[^'"]+`, 'gi'),
    `$1: ${HIDDEN}`,
  ],
  [' ', /\b(bearer )[A-Za-z0-9._~+/=-]{8,}/gi, `$1${HIDDEN}`],
  // scheme://user:password@host, where the password may have an @
  ['://', /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s'"/?#]+/gi, hideUser],
  // scheme://host/path?query
  ['://', /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s'"]+/gi, hideQuery],
  // Addresses that are the secret
  ['hooks.', /\b(hooks\.slack\.com\/(?:services|workflows|triggers)\/)[^\s'"?]+/gi, `$1${HIDDEN}`],
  ['/webhooks/', /\b(discord(?:app)?\.com\/api\/webhooks\/)[^\s'"?]+/gi, `$1${HIDDEN}`],
  // host/path?sig=x without a scheme
  ['=', /([?&](?:sig|signature|hmac|code|x-(?:amz|goog)-[\w-]{1,24})=)[^\s'"&#]+/gi, `$1${HIDDEN}`],
  // --token=x, PASSWORD=x, //registry/:_authToken=x
  ['=', new RegExp(String.raw`((?:^|[\s'"&;,{(:/?#=|-])${SECRET_NAME}=)${VALUE}`, 'gi'), `$1${HIDDEN}`],
  // "password": "x"
  [':', new RegExp(String.raw`(\\?"${SECRET_NAME}\\?"\s{0,4}:\s{0,4}\\?")[^"\\]+`, 'gi'), `$1${HIDDEN}`],
  // --token x
  ['--', new RegExp(String.raw`((?:^|\s)--${SECRET_NAME} )(?!-)${VALUE}`, 'gi'), `$1${HIDDEN}`],
  // curl -u user:password
  [':', /((?:^|\s)(?:-u ?|-U ?|--(?:proxy-)?user[ =])'?[^\s':]{0,256}:)[^\s']+/g, `$1${HIDDEN}`],
  // docker login -p x, mysql -px, sshpass -p x
  ['login', /(\blogin\b[^'"|;&\n]{0,160}?\s-p[ =]?)[^\s'"]+/g, `$1${HIDDEN}`],
  [
    ' -p',
    /(\b(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump|mycli)\b[^'"|;&\n]{0,160}?\s-p)[^\s'"]+/g,
    `$1${HIDDEN}`,
  ],
  ['sshpass', /(\bsshpass (?:-[a-oq-z]\S{0,20} ){0,4}-p ?)(?:'[^']{0,1024}'|[^\s']+)/g, `$1${HIDDEN}`],
  // keys of well-known forms
  ['eyJ', /\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)*/g, hideSigned],
  [
    '',
    /\b(?:gh[pousr]_|github_pat_|gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent)-|xox[abeoprs][.-]|xapp-|sk-|[sr]k_(?:live|test)_|whsec_|AKIA|ASIA|ya29\.|dop_v1_|dckr_pat_|shp(?:at|ss|ca|pa)_|pypi-AgE|hv[sb]\.|sntrys_|lin_api_|ntn_|AGE-SECRET-KEY-1)[A-Za-z0-9_.-]{12,}/g,
    HIDDEN,
  ],
  [
    '',
    /\b(?:npm_|hf_|AIza|pat-[a-z]{2}\d-)[A-Za-z0-9_-]{30,}|\bSG\.[\w-]{16,64}\.[\w-]{16,64}|(?<!\d)\d{8,10}:AA[\w-]{30,}/g,
    HIDDEN,
  ],
];
