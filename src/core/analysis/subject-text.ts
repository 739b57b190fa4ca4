import { addressFromBytes, formatAddress } from '../egress/address.ts';
import type { HostRequest } from '../engine/decide.ts';

/** A connection as a person writes it: `api.example.com:443`, `[2001:db8::1]:22`, `GET http://example.com:80/a`. */
export function requestText({ name, address, port, request }: HostRequest): string {
  const host = name ?? addressText(address);
  if (!request) return `${host}:${port}`;
  const path = request.path ? new TextDecoder().decode(request.path) : '/(a path that servers read differently)';
  return `${request.method} http://${host}:${port}${path}`;
}

export function addressText(bytes: Uint8Array | undefined): string {
  const address = bytes && addressFromBytes(bytes);
  if (!address) return '?';
  const text = formatAddress(address);
  return text.includes(':') ? `[${text}]` : text;
}
