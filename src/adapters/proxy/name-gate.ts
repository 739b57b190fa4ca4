import { hostOfLabels, textOfLabels } from '../../core/dns/asked-name.ts';
import { type Question, RCODE, type Rcode, TYPE } from '../../core/dns/message.ts';
import { addressOfReverseName } from '../../core/dns/reverse-name.ts';
import { nameOnWire } from '../../core/dns/write-answer.ts';
import { type Address, familyOf, parseAddress } from '../../core/egress/address.ts';
import { classOf } from '../../core/egress/address-class.ts';
import type { HostName } from '../../core/egress/host-name.ts';
import type { EgressReason } from '../../core/egress/reason.ts';
import { syntheticAddress } from '../../core/egress/synthetic.ts';
import type { DecideHost } from '../../core/engine/judge-address.ts';
import type { Connection, EgressDecision, EgressEvent } from './egress-event.ts';
import type { RunNames } from './names.ts';
import { RecentRefusals } from './recent-refusals.ts';

/** Whether some connection to the name could be let through, on whatever port. */
export type MayReach<Image> = (image: Image, name: HostName) => boolean;

export type NameGateOptions<Image> = {
  policyOf(run: string): { image: Image; simulate: boolean } | undefined;
  mayReach: MayReach<Image>;
  /** For the rule that a receipt names. */
  decide: DecideHost<Image>;
  record(event: EgressEvent<Image>): Promise<void>;
  names: RunNames;
  /** What the run's programs append to names that are not found (resolv.conf(5), `search`). */
  searchDomainsOf?(run: string): readonly string[];
  /** Whether programs can be redirected over IPv6. */
  hasV6(): boolean;
  refusedAgainMs: number;
};

export type NameAnswer = { rcode: Rcode; data: readonly Uint8Array[] };

type Word = Pick<EgressDecision<unknown>, 'source' | 'rule' | 'pierced' | 'reason'>;

/**
 * The one place where questions for names are decided. A name that could be reached is answered with an address that stands for it in the run; none is
 * ever looked up for that, so a question tells nobody anything. What a connection may do is decided when it comes.
 */
export class NameGate<Image> {
  readonly #options: NameGateOptions<Image>;
  readonly #refused: RecentRefusals;

  constructor(options: NameGateOptions<Image>) {
    this.#options = options;
    this.#refused = new RecentRefusals(options.refusedAgainMs);
  }

  async answer(connection: Connection, { labels, type }: Question): Promise<NameAnswer> {
    const refuse = async (name: string, image: Image | undefined, word: Word, rcode: Rcode, simulate = false) =>
      empty((await this.#onRecord(connection, name, image, word, simulate)) ? rcode : RCODE.servFail);
    const policy = this.#options.policyOf(connection.run);
    if (!policy) return refuse(textOfLabels(labels), undefined, internal('run-unknown'), RCODE.servFail);
    if (labels.length === 0) return empty(RCODE.noError);
    const { image, simulate } = policy;
    const name = hostOfLabels(labels);
    if (name === undefined) return refuse(textOfLabels(labels), image, NO_HOST_NAME, RCODE.nxDomain);
    const known = this.#knownWithout(connection.run, name, type);
    if (known) return found(known);
    if (!this.#options.mayReach(image, name)) {
      const rcode = simulate ? RCODE.noError : RCODE.nxDomain;
      const said = await refuse(name, image, this.#wordOn(image, name), rcode, simulate);
      if (said.rcode !== RCODE.noError) return said;
    }
    if (type !== TYPE.A && type !== TYPE.AAAA) return empty(RCODE.noError);
    const number = this.#numberOf(connection.run, name);
    if (typeof number === 'string') return refuse(name, image, internal(number), RCODE.servFail);
    return found(this.#addresses(type, syntheticAddress(4, number), syntheticAddress(6, number)));
  }

  /** What every machine answers by itself (RFC 6761, 6.3), and the names of the run's own addresses. */
  #knownWithout(run: string, name: HostName, type: number): readonly Uint8Array[] | undefined {
    if (name === 'localhost' || name.endsWith('.localhost')) return this.#addresses(type, LOOPBACK_V4, LOOPBACK_V6);
    const address = type === TYPE.PTR ? addressOfReverseName(name) : undefined;
    if (!address) return undefined;
    const meant = classOf(address) === 'loopback' ? 'localhost' : this.#options.names.nameOf(run, address);
    return meant && [nameOnWire(meant)];
  }

  #addresses(type: number, v4: Address, v6: Address): readonly Uint8Array[] {
    if (type === TYPE.A) return [bytesOf(v4)];
    return type === TYPE.AAAA && this.#options.hasV6() ? [bytesOf(v6)] : [];
  }

  #numberOf(run: string, name: HostName): number | 'resources' | 'journal-failed' {
    try {
      return this.#options.names.numbersOf(run, [name])?.[0] ?? 'resources';
    } catch {
      return 'journal-failed';
    }
  }

  /** What is said of the port that most programs want stands for what is said of all. */
  #wordOn(image: Image, name: HostName): Word {
    const { source, rule, pierced } = this.#options.decide(image, { name, port: 443 });
    return { source, rule, pierced, reason: source === 'rule' ? null : 'no-rule' };
  }

  /** One look-up is on record once: as what the program asked for, not as what its resolver made of it. */
  async #onRecord(
    connection: Connection,
    name: string,
    image: Image | undefined,
    word: Word,
    simulate: boolean,
  ): Promise<boolean> {
    const process = `${connection.run} ${connection.pid}`;
    const told = (called: string) => this.#refused.has(process, called, image);
    if (told(name) || (word.source !== 'rule' && this.#withoutSearchDomain(connection.run, name).some(told)))
      return true;
    if (!(await this.#record(connection, name, image, word, simulate))) return false;
    this.#refused.add(process, name, image);
    return true;
  }

  #withoutSearchDomain(run: string, name: string): string[] {
    const domains = this.#options.searchDomainsOf?.(run) ?? [];
    return domains.filter((domain) => name.endsWith(`.${domain}`)).map((domain) => name.slice(0, -domain.length - 1));
  }

  async #record(
    { run, pid, program }: Connection,
    host: string,
    image: Image | undefined,
    word: Word,
    simulate: boolean,
  ): Promise<boolean> {
    const verdict = simulate ? 'would-deny' : 'deny';
    const place = { host, address: null, port: null, via: 'dns', known: 'dns' } as const;
    try {
      await this.#options.record({ kind: 'decision', run, pid, program, ...place, image, verdict, ...word });
      return true;
    } catch {
      return false;
    }
  }
}

const empty = (rcode: Rcode): NameAnswer => ({ rcode, data: [] });
const found = (data: readonly Uint8Array[]): NameAnswer => ({ rcode: RCODE.noError, data });

const internal = (reason: EgressReason): Word => ({ source: 'internal', rule: null, pierced: null, reason });
const NO_HOST_NAME: Word = { source: 'default', rule: null, pierced: null, reason: 'no-host-name' };

const bytesOf = (address: Address): Uint8Array => (familyOf(address) === 4 ? address.subarray(12) : address);
const LOOPBACK_V4 = parseAddress('127.0.0.1')!;
const LOOPBACK_V6 = parseAddress('::1')!;
