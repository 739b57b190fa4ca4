import { addressFromBytes, formatAddress } from '../core/egress/address.ts';
import { parseHost } from '../core/egress/host-name.ts';
import type { Asked } from '../core/engine/answer.ts';
import { visible } from '../core/text/visible.ts';

/** A destination as Node writes it: IPv6 without brackets, the port as a number or as text. */
export function hostQuestion(host: unknown, port: unknown): Asked | undefined {
  const number = Number(port);
  if (typeof host !== 'string' || !Number.isInteger(number) || number < 1 || number > 65_535) return undefined;
  const parsed = parseHost(host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);
  if (!parsed) return undefined;
  return parsed.kind === 'name'
    ? { action: 'network', name: parsed.name, port: number }
    : { action: 'network', address: parsed.address, port: number };
}

/** What was asked about as a person would type it behind `gatekeeper policy explain ACTION`. */
export function subjectOf(asked: Asked): string {
  if (asked.action === 'shell_exec') return asked.words.join(' ');
  if (asked.action !== 'network') return asked.path;
  return `${asked.name ?? addressText(asked.address)}:${asked.port}`;
}

/** The same as words of a shell, harmless on a terminal. */
export function wordsFor(asked: Asked): string {
  return (asked.action === 'shell_exec' ? asked.words : [subjectOf(asked)]).map(shellWord).join(' ');
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${visible(text).replaceAll("'", "'\\''")}'`;
}

function addressText(bytes: Uint8Array | undefined): string {
  const address = bytes && addressFromBytes(bytes);
  if (!address) return '?';
  const text = formatAddress(address);
  return text.includes(':') ? `[${text}]` : text;
}
