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
  const parts = ABSOLUTE.exec(text);
  if (!parts) return undefined;
  const authority = parseAuthority(parts[1] ?? '', 80);
  return authority && { ...authority, path: parts[2] || '/', query: parts[3] ?? '' };
}

const ABSOLUTE = /^http:\/\/([^/?#]*)(\/[^?#]*)?(\?[^#]*)?$/i;
