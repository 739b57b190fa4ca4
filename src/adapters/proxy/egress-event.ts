import type { Host } from '../../core/egress/host-name.ts';
import type { EgressReason } from '../../core/egress/reason.ts';
import type { SourceName, VerdictName } from '../../core/wire/messages.ts';

/** A connection of a run, as its supervisor announced it before it was made. */
export type Connection = {
  run: string;
  pid: number;
  program: string;
  kind: 'proxy' | 'transparent';
  /** Transparent only: the address, as text without brackets, and the port that the program asked for. */
  address?: string;
  port?: number;
};

/** The door that a connection came through; `dns`: the question for a name alone. */
export type Via = 'connect' | 'http' | 'upgrade' | 'socks' | 'transparent' | 'dns' | 'inspect';

/**
 * How the name was known: asked for by a request (`connect`, `socks`, `http`), by the address that stands for it in the run (`dns`), read from
 * the first bytes of TLS (`sni`); `literal`: there is none, the program gave an address.
 */
export type Known = 'connect' | 'socks' | 'http' | 'dns' | 'sni' | 'literal';

/** `asked` for a name, `literal` for an address. */
export const knownBy = (host: Host, asked: Known): Known => (host.kind === 'name' ? asked : 'literal');

type Common<Image> = {
  run: string;
  pid: number;
  program: string;
  /** Canonical host name, or the visible text of one that was asked for and is none; null when the program gave an address. */
  host: string | null;
  /** The first address that will be dialled or that was refused, in `closed` the one that was dialled; null when nothing was resolved. */
  address: string | null;
  /** Null when the question was for a name alone. */
  port: number | null;
  via: Via;
  known: Known;
  /** The image that decided; `rule` and `pierced` are indices into its rules. */
  image: Image | undefined;
};

/** Recorded before a connection is dialled or refused. */
export type EgressDecision<Image> = Common<Image> & {
  kind: 'decision';
  verdict: VerdictName;
  source: SourceName;
  rule: number | null;
  pierced: number | null;
  /** Set when no rule spoke, and for an allowed name that has no address. */
  reason: EgressReason | null;
  /** Plain HTTP only; the path without its query. */
  method?: string;
  path?: string;
  /** The request asks its server to read another method or path, so that nothing was known of it. */
  overridden?: boolean;
  /** The address is one of this machine's own. */
  own?: boolean;
};

/** Recorded when a tunnel or a plain HTTP exchange ended. */
export type EgressClosed<Image> = Common<Image> & {
  kind: 'closed';
  bytesUp: number;
  bytesDown: number;
  durationMs: number;
  /** `ok`, or what became of it instead: the name of an errno and the like (outcome.ts). Undefined: not known. */
  result?: string | undefined;
};

export type EgressEvent<Image> = EgressDecision<Image> | EgressClosed<Image>;
