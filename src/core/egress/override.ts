/** The parts of a request that can ask a server to act on another method or path than those of the request line. */
export type Asked = { headers: Iterable<string>; query: string };

/**
 * Whether a request asks for that in one of the ways that frameworks know: a header, or a parameter of the query. One in the body is not seen.
 * @param headers names in lower case
 * @param query empty, or with its question mark
 */
export function asksForAnother({ headers, query }: Asked): boolean {
  for (const name of headers) if (OVERRIDES.test(name)) return true;
  return query
    .slice(1)
    .split(/[&;]/)
    .some((parameter) => PARAMETERS.has(plain(decoded(parameter.split('=', 1)[0] ?? ''))));
}

/** Byte by byte, since some take names apart that are no UTF-8. */
function decoded(name: string): string {
  return name
    .replace(/%([0-9a-f]{2})/gi, (_escape, digits) => String.fromCharCode(Number.parseInt(digits, 16)))
    .toLowerCase();
}

/** As PHP names a variable by it, with dashes throughout. */
function plain(name: string): string {
  const [own = ''] = name.replace(/^[ +]+/, '').split('\0', 1);
  return own.replace(/(?<=.)\[.*/, '').replace(/[-_. +[]/g, '-');
}

/**
 * Pattern of headers that do, in lower case. Servers that hand headers to programs as variables (RFC 3875, 4.1.18) make the same of whatever is no letter and
 * no digit.
 */
export const OVERRIDING_HEADER =
  'x[^a-z0-9](?:http[^a-z0-9]method(?:[^a-z0-9]override)?|method[^a-z0-9]override|original[^a-z0-9](?:method|ur[il])|rewrite[^a-z0-9]url)';
const OVERRIDES = new RegExp(`^${OVERRIDING_HEADER}$`);
const PARAMETERS: ReadonlySet<string> = new Set(['-method', '$httpmethod', 'x-http-method-override', 'x-http-method']);
