import { type Address, facesOf } from '../../core/egress/address.ts';
import type { Host, HostName } from '../../core/egress/host-name.ts';
import type { EgressReason } from '../../core/egress/reason.ts';
import { canonicalRequestPath } from '../../core/egress/request-path.ts';
import type { EgressTerms } from '../../core/egress/terms.ts';
import type { HttpRequest } from '../../core/engine/decide.ts';
import { byDefault, guarded, internal, spoken, type Word } from '../../core/engine/egress-word.ts';
import { type AddressJudge, judgeAddress } from '../../core/engine/judge-address.ts';
import type { Connection, EgressEvent, Known, Via } from './egress-event.ts';
import { type InjectedHeader, type InjectionsFor, type SecretOf, withSecrets } from './injection.ts';
import type { Lookup } from './lookup.ts';
import { Receipts, refusal } from './receipts.ts';

/** What is asked of a tunnel to the destination beyond that. */
export type TermsOf<Image> = (
  image: Image,
  target: { name?: HostName; address?: Address; port: number },
) => EgressTerms;

export type GateOptions<Image> = AddressJudge<Image> & {
  policyOf(run: string): { image: Image; simulate: boolean } | undefined;
  termsOf: TermsOf<Image>;
  record(event: EgressEvent<Image>): Promise<void>;
  /** Without it nothing is put into requests. */
  injectionsFor?: InjectionsFor<Image>;
  secretOf?: SecretOf;
  lookup: Lookup;
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
  /** The request goes on within TLS whose certificate verifies. */
  secure?: boolean;
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
  /** It is one request among others to a host, of which some may pass. */
  inspected: boolean;
};
export type TunnelEnd = {
  address: Address | undefined;
  /** What TLS called the bare address that was asked for. */
  called?: HostName | undefined;
  bytesUp: number;
  bytesDown: number;
  durationMs: number;
  /** As in the event of the end (egress-event.ts). */
  result?: string | undefined;
};
/** Permission to dial these addresses, in this order, and no others. */
export type Admitted<Image = unknown> = {
  ok: true;
  image: Image;
  /** The rule that allowed the host, if one did: for a name the one that speaks of the name. */
  rule: number | null;
  addresses: readonly [Address, ...Address[]];
  port: number;
  /** What rules put into the request, in place of what it has of the same name. Never shown or recorded. */
  headers: readonly InjectedHeader[];
  /** Records the end; trouble with the record is not the tunnel's, which is over. */
  closed(end: TunnelEnd): void;
};

/** `refused` is the address that the word is about, when that is a denial; `named` what was said of the name. */
type Judgement = { word: Word; addresses: Address[]; named?: Word; refused?: Address };

/** The one place where egress is decided: name first, then its addresses, then the receipt; only after that anything is dialled. */
export class Gate<Image> {
  readonly #options: GateOptions<Image>;
  readonly #receipts: Receipts<Image>;

  constructor(options: GateOptions<Image>) {
    this.#options = options;
    this.#receipts = new Receipts(options.record);
  }

  async admit(connection: Connection, destination: Destination): Promise<Admitted<Image> | Refused<Image>> {
    const policy = this.#options.policyOf(connection.run);
    if (!policy) return this.#receipts.refuse(connection, destination, undefined, internal('run-unknown'), 'deny');
    const { image, simulate } = policy;
    const { word, addresses, named, refused } = await this.#judge(image, simulate, connection.run, destination);
    const verdict = word.effect === 'allow' ? 'allow' : simulate && word.lifted ? 'would-deny' : 'deny';
    const [first, ...others] = addresses;
    if (verdict === 'deny' || !first)
      return this.#receipts.refuse(connection, destination, image, word, verdict, refused);
    const headers = verdict === 'allow' ? this.#injected(connection.run, image, destination) : [];
    if (!headers) return this.#receipts.refuse(connection, destination, image, internal('secret-unknown'), 'deny');
    // On this machine as well: the run itself can listen where a server is expected, and without TLS nobody could tell.
    if (headers.length > 0 && !destination.secure)
      return this.#receipts.refuse(connection, destination, image, guarded('secret-in-clear'), 'deny', first);
    const written = await this.#receipts.write(connection, destination, image, word, verdict, first);
    if (!written) return refusal(destination, image, internal('journal-failed'));
    return {
      ok: true,
      image,
      rule: (named ?? word).rule,
      addresses: [first, ...others],
      port: destination.port,
      headers,
      closed: (end) => this.#receipts.close(connection, calledBy(destination, end.called), image, end),
    };
  }

  /**
   * Undefined for a run without a policy, which is admitted nowhere. `simulate`: what does not hold is recorded and passes. `address`: behind a name, where that
   * is known.
   */
  termsOf(
    run: string,
    { host, port }: Pick<Destination, 'host' | 'port'>,
    address?: Address,
  ): (EgressTerms & { simulate: boolean }) | undefined {
    const policy = this.#options.policyOf(run);
    const target = host.kind === 'name' ? { name: host.name, ...(address && { address }) } : { address: host.address };
    return policy && { ...this.#options.termsOf(policy.image, { ...target, port }), simulate: policy.simulate };
  }

  /** Refuses a tunnel for what it carries, also one that was admitted. Undefined in a simulated run, which goes on. */
  async refuseContent(
    connection: Connection,
    destination: Destination,
    reason: EgressReason,
  ): Promise<Refused<Image> | undefined> {
    const policy = this.#options.policyOf(connection.run);
    const verdict = policy?.simulate ? 'would-deny' : 'deny';
    const refused = await this.#receipts.refuse(connection, destination, policy?.image, byDefault(reason), verdict);
    return verdict === 'would-deny' && refused.reason === reason ? undefined : refused;
  }

  /**
   * Judges an admitted address by the name that TLS calls it, so that a rule against a name holds for programs that look names up themselves. Undefined when
   * nothing speaks against the two together.
   */
  async judgeCalled(
    connection: Connection,
    destination: Destination,
    address: Address,
    name: HostName,
  ): Promise<Refused<Image> | undefined> {
    const policy = this.#options.policyOf(connection.run);
    if (!policy) return this.#receipts.refuse(connection, destination, undefined, internal('run-unknown'), 'deny');
    const { image, simulate } = policy;
    const called = calledBy(destination, name);
    const words = facesOf(address).map((face) =>
      spoken(this.#options.decide(image, { name, address: face, port: destination.port })),
    );
    const word = words.find(({ effect }) => effect !== 'allow');
    if (!word) return undefined;
    const lifted = simulate && word.lifted;
    const refused = await this.#receipts.refuse(
      connection,
      called,
      image,
      word,
      lifted ? 'would-deny' : 'deny',
      address,
    );
    return lifted && refused.status !== 503 ? undefined : refused;
  }

  /** Refuses without asking the policy; for callers at their bounds. */
  refuseForResources(connection: Connection, destination: Destination): Promise<Refused<Image>> {
    const image = this.#options.policyOf(connection.run)?.image;
    return this.#receipts.refuse(connection, destination, image, internal('resources'), 'deny');
  }

  /** Undefined when a secret of it is not known. */
  #injected(run: string, image: Image, destination: Destination): readonly InjectedHeader[] | undefined {
    const { injectionsFor, secretOf } = this.#options;
    const request = requestOf(destination);
    if (!injectionsFor || !request) return [];
    const { host, port } = destination;
    const target = host.kind === 'name' ? { name: host.name } : { address: host.address };
    return withSecrets(injectionsFor(image, { ...target, port, request }), (name) => secretOf?.(run, name));
  }

  async #judge(image: Image, simulate: boolean, run: string, destination: Destination): Promise<Judgement> {
    const { host, port } = destination;
    const request = requestOf(destination);
    if (host.kind === 'address') {
      const word = judgeAddress(this.#options, image, undefined, host.address, { port, request });
      return { word, addresses: [host.address] };
    }
    // The question itself would tell an outside resolver what the run knows, so a denied name is never asked for.
    const named = spoken(this.#options.decide(image, { name: host.name, port, request }));
    if (named.effect !== 'allow' && !simulate) return { word: named, addresses: [] };
    const found = await this.#options.lookup.addresses(run, host.name);
    const judged = found.map((address) => ({
      address,
      word: judgeAddress(this.#options, image, host.name, address, { port, request }),
    }));
    const good = judged.filter(({ word }) => word.effect === 'allow' || (simulate && word.lifted));
    const firstGood = good.find(({ word }) => word.effect === 'allow') ?? good[0];
    // The one that the word is about comes first: it is the one on record.
    const ordered = firstGood ? [firstGood, ...good.filter((one) => one !== firstGood)] : [];
    const addresses = ordered.map(({ address }) => address);
    if (found.length === 0) return { word: { ...named, reason: 'unresolved' }, addresses };
    if (named.effect !== 'allow') return { word: { ...named, ...(firstGood?.word.own && { own: true }) }, addresses };
    if (firstGood) return { word: firstGood.word, named, addresses };
    const [bad] = judged;
    return bad ? { word: bad.word, addresses, refused: bad.address } : { word: named, addresses };
  }
}

/** The destination of a bare address by the name that TLS gives it. */
export function calledBy(destination: Destination, name: HostName | undefined): Destination {
  return name === undefined ? destination : { ...destination, host: { kind: 'name', name }, known: 'sni' };
}

/** Only of plain HTTP it is known what is asked for, and not of all of it. */
function requestOf({ method, path, overridden }: Destination): HttpRequest | undefined {
  return method === undefined || overridden ? undefined : { method, path: canonicalRequestPath(path ?? '') };
}
