import { type HostName, parseHostName } from '../egress/host-name.ts';
import { visible } from '../text/visible.ts';

/**
 * The host that the labels of a question name, by the one reading of hosts. Undefined when they name none: bytes other than letters, digits and hyphens
 * (a dot inside of a label would make another name of it), what reads as an address, and the root.
 */
export function hostOfLabels(labels: readonly Uint8Array[]): HostName | undefined {
  if (labels.some((label) => !label.every(isPlain))) return undefined;
  const text = labels.map((label) => String.fromCharCode(...label).toLowerCase()).join('.');
  const host = parseHostName(text);
  return host === text ? host : undefined;
}

/** The same for people: every byte shows, and two different names never look alike. */
export function textOfLabels(labels: readonly Uint8Array[]): string {
  if (labels.length === 0) return '.';
  return labels.map((label) => visible(String.fromCharCode(...label)).replaceAll('.', '\\x2e')).join('.');
}

function isPlain(byte: number): boolean {
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x2d;
}
