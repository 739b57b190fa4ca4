import type { AuditRecord } from '../core/audit/record.ts';
import { addressFromBytes, formatAddress } from '../core/egress/address.ts';
import { parseHost } from '../core/egress/host-name.ts';
import { canonicalRequestPath } from '../core/egress/request-path.ts';
import type { Asked } from '../core/engine/answer.ts';

/** What a receipt was about, as a question to a policy; undefined for what is none, or cannot be put as one (bytes that are no text, secrets that were taken out). */
export function questionOf(record: AuditRecord): Asked | undefined {
  const { action, target, targetBytes } = record;
  switch (action) {
    case 'file_read':
    case 'file_write':
    case 'file_delete':
    case 'unix_socket':
      return target?.startsWith('/') && targetBytes === undefined ? { action, path: target } : undefined;
    case 'shell_exec':
      return commandOf(record);
    case 'network':
      return connectionOf(record);
    default:
      return undefined;
  }
}

/** The words of a command's canonical text (core/engine/command-text.ts); undefined for a text that is none. */
export function wordsOf(command: string): string[] | undefined {
  const words: string[] = [];
  const word = /(?:'((?:[^']|'\\'')*)'|([^\s'"\\]+))(?: |$)/y;
  while (word.lastIndex < command.length) {
    const found = word.exec(command);
    if (!found) return undefined;
    words.push(found[1]?.replaceAll("'\\''", "'") ?? found[2] ?? '');
  }
  return words;
}

/** As it stands behind the verbs that take one, for a shell. */
export function questionText(asked: Asked): string {
  const quoted = (word: string): string =>
    /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  if (asked.action === 'network') return quoted(asked.url ?? destinationText(asked));
  return asked.action === 'shell_exec' ? asked.words.map(quoted).join(' ') : quoted(asked.path);
}

function commandOf({ command, commandBytes, target }: AuditRecord): Asked | undefined {
  if (command === undefined || target === undefined || commandBytes !== undefined || command.includes('[redacted]'))
    return undefined;
  const words = wordsOf(command);
  return words?.length ? { action: 'shell_exec', program: target, alias: undefined, words } : undefined;
}

function connectionOf({ destination, port, via, method, path }: AuditRecord): Asked | undefined {
  const host = destination === undefined ? undefined : parseHost(bracketed(destination));
  if (!host || (port === undefined && via !== 'dns')) return undefined;
  const where = host.kind === 'name' ? { name: host.name } : { address: host.address };
  const endpoint = { action: 'network' as const, ...where, port: via === 'dns' ? HTTPS : port! };
  if (method === undefined || path === undefined) return endpoint;
  const tls = via === 'inspect';
  const url = `http${tls ? 's' : ''}://${bracketed(destination!)}:${endpoint.port}${path}`;
  return { ...endpoint, request: { method, path: canonicalRequestPath(path) }, url: `${method} ${url}`, tls };
}

function destinationText({ name, address, port }: Extract<Asked, { action: 'network' }>): string {
  const known = address && addressFromBytes(address);
  return `${name ?? (known ? bracketed(formatAddress(known)) : '?')}:${port}`;
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
const HTTPS = 443;
