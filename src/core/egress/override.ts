/** The parts of a request that can ask a server to act on another method or path than those of the request line. */
export type Asked = { headers: Iterable<string>; query: string };

/**
 * Whether a request asks for that in one of the ways that frameworks know: a header, or a parameter of the query. One in the body is not seen.
 * @param headers names in lower case
 * @param query empty, or with its question mark
 */
export function asksForAnother({ headers, query }: Asked): boolean {
  for (const name of headers) if (OVERRIDES.has(name)) return true;
  return query
    .slice(1)
    .split(/[&;]/)
    .some((parameter) => PARAMETERS.has(decoded(parameter.split('=', 1)[0] ?? '')));
}

/** A name that cannot be decoded is compared as it stands. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name).toLowerCase();
  } catch {
    return name.toLowerCase();
  }
}

const OVERRIDES: ReadonlySet<string> = new Set([
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-method',
  'x-original-url',
  'x-original-uri',
  'x-rewrite-url',
]);
const PARAMETERS: ReadonlySet<string> = new Set(['_method', '$httpmethod', 'x-http-method-override', 'x-http-method']);
