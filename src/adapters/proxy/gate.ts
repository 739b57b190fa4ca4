import { type Address, facesOf, formatAddress } from '../../core/egress/address.ts';
import { classOf } from '../../core/egress/address-class.ts';
import { formatHost } from '../../core/egress/authority.ts';
import type { Host, HostName } from '../../core/egress/host-name.ts';
import type { EgressReason } from '../../core/egress/reason.ts';
import { canonicalRequestPath } from '../../core/egress/request-path.ts';
import type { HttpRequest } from '../../core/engine/decide.ts';
import type { EffectName, SourceName, VerdictName } from '../../core/wire/messages.ts';
import type { Connection, EgressEvent, Known, Via } from './egress-event.ts';
import type { Lookup } from './lookup.ts';

/** What the decision function says of a destination; without a name it speaks of the bare address. */
export type HostVerdict = { effect: EffectName; source: SourceName; rule: number | null; pierced: number | null };
export type DecideHost<Image> = (
  image: Image,
  target: { name?: HostName; address?: Address; port: number; request?: HttpRequest | undefined },
) => HostVerdict;

export type GateOptions<Image> = {
  policyOf(run: string): { image: Image; simulate: boolean } | undefined;
  decide: DecideHost<Image>;
  record(event: EgressEvent<Image>): Promise<void>;
  lookup: Lookup;
  /** Ports of gatekeeper's own listeners on loopback; no rule opens them. */
  isOwnPort(port: number): boolean;
};

export type Destination = {
  host: Host;
  port: number;
  via: Via;
  known: Known;
  method?: string;
  path?: string;
  /** The request asks its server to read another method or path. */
  overridden?: boolean;
};

export type Refused<Image> = {
  ok: false;
  /** The image that decided, for the text of `rule`. */
  image: Image | undefined;
  /** For HTTP: 403 is the policy's word, 502 the network's, 503 gatekeeper's own trouble. */
  status: 403 | 502 | 503;
  host: string;
  port: number;
  reason: EgressReason | null;
  rule: number | null;
  /** What a rule has to name to allow this: the host, or the address behind it that was the obstacle. */
  obstacle: string;
};
/** Permission to dial these addresses, in this order, and no others. */
export type Admitted = {
  ok: true;
  addresses: readonly [Address, ...Address[]];
  port: number;
  /** Records the end; trouble with the record is not the tunnel's, which is over. */
  closed(end: { address: Address | undefined; bytesUp: number; bytesDown: number; durationMs: number }): void;
};

type Asked = { port: number; request: HttpRequest | undefined };
/** `lifted`: a simulated run passes all the same. */
type Word = HostVerdict & { reason: EgressReason | null; lifted: boolean };
/** `refused` is the address that the word is about, when that is a denial. */
type Judgement = { word: Word; addresses: Address[]; refused?: Address };

/** The one place where egress is decided: name first, then its addresses, then the receipt; only after that anything is dialled. */
export class Gate<Image> {
  readonly #options: GateOptions<Image>;

  constructor(options: GateOptions<Image>) {
    this.#options = options;
  }

  async admit(connection: Connection, destination: Destination): Promise<Admitted | Refused<Image>> {
    const policy = this.#options.policyOf(connection.run);
    if (!policy) return this.#refuse(connection, destination, undefined, internal('run-unknown'), 'deny');
    const { image, simulate } = policy;
    const { word, addresses, refused } = await this.#judge(image, simulate, connection.run, destination);
    const verdict = word.effect === 'allow' ? 'allow' : simulate && word.lifted ? 'would-deny' : 'deny';
    const [first, ...others] = addresses;
    if (verdict === 'deny' || !first) return this.#refuse(connection, destination, image, word, verdict, refused);
    const written = await this.#write(connection, destination, image, word, verdict, first);
    if (!written) return refusal(destination, image, internal('journal-failed'));
    return {
      ok: true,
      addresses: [first, ...others],
      port: destination.port,
      closed: (end) => this.#close(connection, destination, image, end),
    };
  }

  /** Refuses without asking the policy; for callers at their bounds. */
  refuseForResources(connection: Connection, destination: Destination): Promise<Refused<Image>> {
    const image = this.#options.policyOf(connection.run)?.image;
    return this.#refuse(connection, destination, image, internal('resources'), 'deny');
  }

  async #judge(image: Image, simulate: boolean, run: string, destination: Destination): Promise<Judgement> {
    const { host, port } = destination;
    const request = requestOf(destination);
    if (host.kind === 'address') {
      const word = this.#judgeAddress(image, undefined, host.address, { port, request });
      return { word, addresses: [host.address] };
    }
    // The question itself would tell an outside resolver what the run knows, so a denied name is never asked for.
    const named = spoken(this.#options.decide(image, { name: host.name, port, request }));
    if (named.effect !== 'allow' && !simulate) return { word: named, addresses: [] };
    const found = await this.#options.lookup.addresses(run, host.name);
    const judged = found.map((address) => ({
      address,
      word: this.#judgeAddress(image, host.name, address, { port, request }),
    }));
    const good = judged.filter(({ word }) => word.effect === 'allow' || (simulate && word.lifted));
    const firstGood = good.find(({ word }) => word.effect === 'allow') ?? good[0];
    const addresses = good.map(({ address }) => address);
    if (found.length === 0) return { word: { ...named, reason: 'unresolved' }, addresses };
    if (named.effect !== 'allow') return { word: named, addresses };
    if (firstGood) return { word: firstGood.word, addresses };
    const [bad] = judged;
    return bad ? { word: bad.word, addresses, refused: bad.address } : { word: named, addresses };
  }

  #judgeAddress(image: Image, name: HostName | undefined, address: Address, asked: Asked): Word {
    const kind = classOf(address);
    if (kind === 'synthetic') return guarded('synthetic-address');
    if ((kind === 'loopback' || kind === 'unspecified') && this.#options.isOwnPort(asked.port))
      return guarded('own-port');
    let last: Word | undefined;
    for (const face of facesOf(address)) {
      last = spoken(
        this.#options.decide(image, name ? { name, address: face, ...asked } : { address: face, ...asked }),
      );
      if (last.effect !== 'allow') return last;
      if (kind === 'public') continue;
      // A rule for a name does not vouch for where its owner points it, nor does a permissive default.
      const bare = this.#options.decide(image, { address: face, ...asked });
      if (bare.effect !== 'allow' || bare.source !== 'rule') return SPECIAL;
    }
    return last ?? SPECIAL;
  }

  async #refuse(
    connection: Connection,
    destination: Destination,
    image: Image | undefined,
    word: Word,
    verdict: VerdictName,
    refused?: Address,
  ): Promise<Refused<Image>> {
    const written = await this.#write(connection, destination, image, word, verdict, refused);
    return refusal(destination, image, written ? word : internal('journal-failed'), refused);
  }

  async #write(
    connection: Connection,
    destination: Destination,
    image: Image | undefined,
    { source, rule, pierced, reason }: Word,
    verdict: VerdictName,
    address: Address | undefined,
  ): Promise<boolean> {
    const { method, path } = destination;
    try {
      await this.#options.record({
        kind: 'decision',
        ...common(connection, destination, image, address),
        ...{ verdict, source, rule, pierced, reason },
        ...(method !== undefined && { method }),
        ...(path !== undefined && { path: path.slice(0, PATH_MAX) }),
      });
      return true;
    } catch {
      return false;
    }
  }

  #close(
    connection: Connection,
    destination: Destination,
    image: Image,
    { address, ...end }: Parameters<Admitted['closed']>[0],
  ): void {
    this.#options
      .record({ kind: 'closed', ...common(connection, destination, image, address), ...end })
      .catch(() => undefined);
  }
}

function common<Image>(
  { run, pid, program }: Connection,
  { host, port, via, known }: Destination,
  image: Image,
  dialled: Address | undefined,
) {
  const address = dialled ?? (host.kind === 'address' ? host.address : undefined);
  const name = host.kind === 'name' ? host.name : null;
  return { run, pid, program, host: name, address: address ? formatAddress(address) : null, port, via, known, image };
}

/** Only of plain HTTP it is known what is asked for, and not of all of it. */
function requestOf({ method, path, overridden }: Destination): HttpRequest | undefined {
  return method === undefined || overridden ? undefined : { method, path: canonicalRequestPath(path ?? '') };
}

function refusal<Image>(
  { host, port }: Destination,
  image: Image | undefined,
  { source, reason, rule }: Word,
  address?: Address,
): Refused<Image> {
  const status = source === 'internal' ? 503 : reason === 'unresolved' ? 502 : 403;
  const obstacle = formatHost(address ? { kind: 'address', address } : host);
  return { ok: false, image, status, host: formatHost(host), port, reason, rule, obstacle };
}

/** Egress knows two outcomes: what would have to be asked, or kept in a private copy, is denied until somebody can answer. */
function spoken(verdict: HostVerdict): Word {
  const { effect, source, rule, pierced } = verdict;
  if (effect === 'ask')
    return { effect: 'deny', source: 'silence', rule, pierced, reason: 'ask-unanswered', lifted: true };
  return {
    effect: effect === 'allow' ? 'allow' : 'deny',
    ...{ source, rule, pierced },
    reason: source === 'rule' ? null : 'no-rule',
    lifted: source !== 'protection',
  };
}

function guarded(reason: EgressReason): Word {
  return { effect: 'deny', source: 'protection', rule: null, pierced: null, reason, lifted: false };
}

function internal(reason: EgressReason): Word {
  return { effect: 'deny', source: 'internal', rule: null, pierced: null, reason, lifted: false };
}

const SPECIAL: Word = {
  ...guarded('special-address'),
  source: 'default',
  lifted: true,
};
const PATH_MAX = 1024;
