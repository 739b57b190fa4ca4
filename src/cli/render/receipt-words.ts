/** What an action or an event is. */
export const WHAT: Readonly<Record<string, string>> = {
  file_read: 'reading a file or directory',
  file_write: 'writing, making or moving a file',
  file_delete: 'removing a file',
  shell_exec: 'starting a program',
  network: 'reaching a destination',
  unix_socket: 'connecting to a socket of this machine',
  tool_call: 'calling a tool',
  connection_closed: 'the end of a connection that was allowed',
  gap: 'entries that never came',
  damage: 'bytes of a journal that are no record',
  recovered: 'the end of the log was mended',
  policy_change: 'another policy is in force from here on',
  policy_error: 'a changed policy is not fit; the last good one stays in force',
  run_lost: 'the supervisor of a run is gone without a word',
};
/** Who spoke, where it was no rule: behind `deny by`. */
export const SOURCES: Readonly<Record<string, string>> = {
  default: 'the default, since no rule matched',
  protection: 'the protection of gatekeeper itself',
  inherited: 'the command that it helps, which a rule allows',
  typed: 'whoever started the run: it is what they typed',
  launcher: 'its being a shell or launcher: what it starts is judged by itself',
  own: 'its being the run’s own',
  internal: 'the supervisor, which could not judge it',
};
/** The door that a connection came through. */
export const VIA: Readonly<Record<string, string>> = {
  connect: 'through the proxy (CONNECT)',
  http: 'through the proxy (HTTP)',
  upgrade: 'through the proxy (HTTP upgrade)',
  socks: 'through the proxy (SOCKS)',
  transparent: 'connected to directly',
  inspect: 'within TLS that is inspected',
  dns: 'asked for by name alone',
};
/** How a name was known: behind `name`. */
export const KNOWN: Readonly<Record<string, string>> = {
  connect: 'from its CONNECT line',
  http: 'from its request',
  socks: 'from SOCKS',
  dns: 'from the address that stands for it in this run',
  sni: 'from its TLS',
};
