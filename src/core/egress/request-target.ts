import { type Authority, parseAuthority } from './authority.ts';

/** The absolute form of a request target (RFC 9112, 3.2.2), taken apart by its own grammar and not by a URL parser that repairs. */
export type AbsoluteTarget = Authority & {
  /** Starts with a slash; as the client wrote it. */
  path: string;
  /** Empty, or starts with a question mark. */
  query: string;
};

/** Undefined when the text is not `http://host[:port][/path][?query]`: user names, fragments and other schemes are refused. */
export function parseAbsoluteTarget(text: string): AbsoluteTarget | undefined {
  return /^http:/i.test(text) ? parseTarget(text, 80) : undefined;
}

/** The same of `https://`, as people write the requests that a tunnel carries. */
export function parseSecureTarget(text: string): AbsoluteTarget | undefined {
  return /^https:/i.test(text) ? parseTarget(text, 443) : undefined;
}

function parseTarget(text: string, usualPort: number): AbsoluteTarget | undefined {
  const parts = ABSOLUTE.exec(text);
  if (!parts) return undefined;
  const authority = parseAuthority(parts[1] ?? '', usualPort);
  return authority && { ...authority, path: parts[2] || '/', query: parts[3] ?? '' };
}

/** The origin form (RFC 9112, 3.2.1) of a request to a host that is known. */
export function parseOriginForm(text: string, authority: Authority): AbsoluteTarget | undefined {
  const parts = ORIGIN.exec(text);
  return parts ? { ...authority, path: parts[1] ?? '/', query: parts[2] ?? '' } : undefined;
}

const ORIGIN = /^(\/[^?#]*)(\?[^#]*)?$/;
const ABSOLUTE = /^https?:\/\/([^/?#]*)(\/[^?#]*)?(\?[^#]*)?$/i;
