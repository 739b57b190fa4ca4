import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parseAuthority } from '../core/egress/authority.ts';
import { canonicalRequestPath } from '../core/egress/request-path.ts';
import { parseAbsoluteTarget, parseSecureTarget } from '../core/egress/request-target.ts';
import type { Asked } from '../core/engine/answer.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';

/** Reads action and target from the command line. Throws GK_USAGE or GK_DESTINATION. */
export function readQuestion(action: string, words: readonly string[], cwd: string): Asked {
  switch (action) {
    case 'file_read':
    case 'file_write':
    case 'file_delete':
    case 'unix_socket':
      return { action, path: canonicalPath(onlyWord(action, words), cwd) };
    case 'shell_exec':
      return readCommand(words, cwd);
    case 'network':
      return readRequest(words) ?? readDestination(onlyWord(action, words));
    default:
      throw new GatekeeperError('GK_USAGE', {
        what: `there is no action ${action}`,
        remedy: 'see: gatekeeper policy explain --help',
      });
  }
}

/** A command as separate words, or as one text that is split at blanks. */
function readCommand(given: readonly string[], cwd: string): Asked {
  const words = given.length === 1 ? given[0]!.split(/\s+/).filter(Boolean) : [...given];
  const found = findProgram(words[0] ?? '', cwd);
  const program = canonicalPath(found, cwd);
  const alias = join(canonicalPath(dirname(found), cwd), found.slice(found.lastIndexOf('/') + 1));
  return { action: 'shell_exec', program, alias: alias === program ? undefined : alias, words };
}

/** As a shell finds it; a name that is nowhere is judged as it would stand in /usr/bin. */
function findProgram(word: string, cwd: string): string {
  if (word === '') throw new GatekeeperError('GK_USAGE', { what: 'the command is empty' });
  if (word.includes('/')) return resolve(cwd, word);
  const places = (process.env['PATH'] ?? '').split(delimiter).filter((place) => place.startsWith('/'));
  return places.map((place) => join(place, word)).find(isProgram) ?? `/usr/bin/${word}`;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** `GET http://host/path`, or the URL alone: a request whose method and path rules may name; with https where they see it. */
function readRequest(words: readonly string[]): Asked | undefined {
  const url = words.at(-1) ?? '';
  const [scheme] = /^https?:/i.exec(url) ?? [];
  if (!scheme || words.length > 2) return undefined;
  const tls = scheme.length === 'https:'.length;
  const target = tls ? parseSecureTarget(url) : parseAbsoluteTarget(url);
  if (!target) throw new GatekeeperError('GK_DESTINATION', { what: `the URL is not understood: ${url}` });
  const { host, port, path } = target;
  const method = words.length === 2 ? words[0]! : 'GET';
  const where = host.kind === 'name' ? { name: host.name } : { address: host.address };
  return {
    action: 'network',
    ...where,
    port,
    request: { method, path: canonicalRequestPath(path) },
    url: `${method} ${url}`,
    ...(tls ? { tls } : {}),
  };
}

function readDestination(text: string): Asked {
  // A bare IPv6 address has no place for a port.
  const bare = /^[0-9a-f:.]+$/i.test(text) && text.split(':').length > 2 ? `[${text}]` : text;
  const authority = parseAuthority(bare, HTTPS);
  if (!authority) throw new GatekeeperError('GK_DESTINATION', { what: `the destination is not understood: ${text}` });
  const { host, port } = authority;
  return host.kind === 'name'
    ? { action: 'network', name: host.name, port }
    : { action: 'network', address: host.address, port };
}

/**
 * The path that the object has, or would have: symbolic links are resolved as far as the path exists. `~` stands for the home directory when
 * the shell left it.
 */
export function canonicalPath(path: string, cwd: string): string {
  const plain = path === '~' || path.startsWith('~/') ? userInfo().homedir + path.slice(1) : path;
  return realAsFarAsThere(resolve(cwd, plain));
}

function realAsFarAsThere(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realAsFarAsThere(parent), path.slice(parent === '/' ? 1 : parent.length + 1));
  }
}

function onlyWord(action: string, words: readonly string[]): string {
  if (words.length !== 1 || words[0] === '')
    throw new GatekeeperError('GK_USAGE', { what: `${action} has one target` });
  return words[0]!;
}

const HTTPS = 443;
