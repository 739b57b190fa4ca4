import { formatAuthority, parseAuthority } from '../egress/authority.ts';
import { parseDestination } from '../policy/destination.ts';
import { PatternProblem } from '../policy/pattern-problem.ts';

/** The destination that somebody probably means who typed a URL, `git@host:path`, `host:https` and the like; undefined when nothing is plausible. */
export function meantDestination(typed: string): string | undefined {
  const text = typed.trim();
  return [fromUrl, fromRemote, fromAddress, fromWildcard, fromService, fromPath]
    .map((read) => read(text))
    .find((found) => found !== undefined && isDestination(found));
}

/** Whether two texts name the same places on the same ports, however they are written. */
export function isSameDestination(one: string, other: string): boolean {
  return one === other || (isDestination(one) && isDestination(other) && key(one) === key(other));
}

function key(text: string): string {
  const { address, ...entry } = parseDestination(text);
  return JSON.stringify([entry, [...address]]);
}

function isDestination(text: string): boolean {
  try {
    parseDestination(text);
    return true;
  } catch (error) {
    if (error instanceof PatternProblem) return false;
    throw error;
  }
}

/** `https://user@api.example.com/v1` → `api.example.com:443` */
function fromUrl(text: string): string | undefined {
  const [, scheme = '', authority = ''] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(text) ?? [];
  return scheme === '' ? undefined : written(authority, PORTS[scheme.toLowerCase().replace(/^git\+/, '')]);
}

/** `git@code.example:org/project.git` → `code.example:22` */
function fromRemote(text: string): string | undefined {
  const [, host, rest] = /^[^/@:]+@([^:/]+)(?::(.*))?$/.exec(text) ?? [];
  if (host === undefined) return undefined;
  return rest === undefined || /^\d+$/.test(rest) ? written(text) : `${host}:${PORTS['ssh']}`;
}

/** `2001:db8::1` → `[2001:db8::1]` */
function fromAddress(text: string): string | undefined {
  const [, address = '', length = ''] = /^([0-9a-f:.]+)(\/\d+)?$/i.exec(text) ?? [];
  return address.split(':').length > 2 ? `[${address}]${length}` : undefined;
}

/** `.example.com`, `*example.com` → `*.example.com` */
function fromWildcard(text: string): string | undefined {
  const [, rest] = /^(?:\*?\.|\*)([^.*].*)$/.exec(text) ?? [];
  return rest === undefined ? undefined : `*.${rest.replace(/\/.*$/, '')}`;
}

/** `example.com:https` → `example.com:443` */
function fromService(text: string): string | undefined {
  const [, host, service = ''] = /^([^/]*):([a-z]+)(?:\/.*)?$/i.exec(text) ?? [];
  const port = PORTS[service.toLowerCase()];
  return host === undefined || port === undefined ? undefined : `${host}:${port}`;
}

/** `example.com/path` → `example.com`; of a range that is wrong nothing is known. */
function fromPath(text: string): string | undefined {
  return text.includes('/') && !/^[0-9.]+\/[0-9]+$/.test(text) ? written(text.slice(0, text.indexOf('/'))) : undefined;
}

function written(authority: string, port?: number): string | undefined {
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const found = parseAuthority(host, port ?? PORTS['https']);
  return found && (port === undefined && !/:\d+$/.test(host) ? host : formatAuthority(found));
}

const PORTS: Readonly<Record<string, number>> = {
  https: 443,
  http: 80,
  wss: 443,
  ws: 80,
  ssh: 22,
  git: 9418,
  ftp: 21,
  postgres: 5432,
  postgresql: 5432,
  mysql: 3306,
  redis: 6379,
  mongodb: 27_017,
};
