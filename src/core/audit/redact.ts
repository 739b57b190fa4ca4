/**
 * Takes obvious secrets out of a command's text before it is hashed and written: header values that carry credentials, options and
 * assignments named like a secret, user information and queries of URLs, keys of well-known forms. What it misses is in the log, which is
 * 0600 and denied to every run: this is a courtesy to whoever reads or exports it.
 */
export function redact(text: string): string {
  let out = text;
  for (const [pattern, replacement] of PATTERNS) out = out.replace(pattern, replacement);
  return out;
}

const HIDDEN = '[redacted]';
const SECRET_NAME = String.raw`[\w.-]{0,24}(?:password|passwd|passphrase|token|secret|api[_-]?key|access[_-]?key|private[_-]?key|credential|_auth)s?`;

/**
 * In a command's canonical text a word with blanks stands in single quotes, so a value ends at a quote or a blank. The agent
 * writes these texts: every repetition that could be tried again from many places has a bound, so that the cost stays linear.
 */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // `Authorization: Bearer x`, `x-api-key: y`, `Cookie: …` up to the end of the word
  [/\b((?:proxy-)?authorization|cookie|x-[\w-]{0,24}(?:key|token|auth)) {0,4}: {0,4}[^'"]+/gi, `$1: ${HIDDEN}`],
  // scheme://user:password@host
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s'"/@]{0,1024}@/gi, `$1${HIDDEN}@`],
  // scheme://host/path?query
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/[^\s'"?#]{0,1024})\?[^\s'"]+/gi, `$1?${HIDDEN}`],
  // --token=x, PASSWORD=x
  [new RegExp(String.raw`((?:^|[\s'"&;,{-])${SECRET_NAME}=)['"]?[^\s'"&;,}]+`, 'gi'), `$1${HIDDEN}`],
  // "password": "x"
  [new RegExp(`("${SECRET_NAME}" {0,4}: {0,4}")[^"]+`, 'gi'), `$1${HIDDEN}`],
  // --token x
  [new RegExp(String.raw`((?:^|\s)--${SECRET_NAME} )(?!-)(?:'[^']*'|[^\s']+)`, 'gi'), `$1${HIDDEN}`],
  // curl -u user:password
  [/((?:^|\s)(?:-u|--user) '?[^\s':]+:)[^\s']+/g, `$1${HIDDEN}`],
  // keys of well-known forms
  [/\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|AKIA|ASIA)[A-Za-z0-9_-]{12,}|\bnpm_[A-Za-z0-9]{30,}/g, HIDDEN],
];
