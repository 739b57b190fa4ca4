import type { Address } from '../egress/address.ts';
import { type AddressClass, classOf } from '../egress/address-class.ts';
import { HOST_KIND } from '../policy/destination.ts';
import { AUTOMATON_KIND } from '../policy/image-layout.ts';
import { RULE_FLAG } from '../policy/rule-table.ts';
import { EFFECT } from '../wire/messages.ts';
import { candidatesFor } from './host-index.ts';
import type { HostView, PolicyImage } from './image.ts';
import { type Decision, resolve } from './precedence.ts';

export type PathAction = 'file_read' | 'file_write' | 'file_delete' | 'unix_socket';

/** Decides on a canonical absolute path without trailing slash. Gives the verdict that the supervisor gives for the same bytes. */
export function decidePath(image: PolicyImage, action: PathAction, path: Uint8Array): Decision {
  return resolve(image, action, matchPath(image, action, path));
}

/**
 * Decides on a spawn by its two canonical texts (`canonicalCommand`): with the program's base name, and with its full path.
 * `writablePlace`: the program lies where the run can write, so that a bare name does not vouch for it.
 */
export function decideCommand(
  image: PolicyImage,
  base: Uint8Array,
  path: Uint8Array,
  writablePlace: boolean,
): Decision {
  return resolve(image, 'shell_exec', matchCommand(image, base, path, writablePlace));
}

export type HostRequest = {
  /** Canonical host name: lower-case A-labels, no trailing dot. */
  name?: string;
  /** 16 bytes, IPv4 as ::ffff:a.b.c.d. */
  address?: Uint8Array;
  /** The address is one of the machine's own, which a rule for everything does not mean. */
  own?: boolean;
  /** 1 to 65535. */
  port: number;
  /** What is asked for over plain HTTP. Of tunnels, raw connections and other protocols nothing is known. */
  request?: HttpRequest | undefined;
};

/** `path` is the canonical one; undefined when servers may read it in several ways. */
export type HttpRequest = { method: string; path: Uint8Array | undefined };

/**
 * Decides on a connection by what is known of it. A name that is allowed says nothing about the address behind it: whoever dials asks again with
 * the address alone, because `*` and names never cover loopback, private or metadata addresses.
 */
export function decideHost(image: PolicyImage, request: HostRequest): Decision {
  return resolve(image, 'network', matchHost(image, request));
}

/** Rules whose path patterns match. */
export function matchPath(image: PolicyImage, action: PathAction, path: Uint8Array): number[] {
  return image.automata[action].flatMap((automaton) =>
    acceptSet(image, automaton.accept(automaton.run(automaton.start, path))),
  );
}

export function matchCommand(image: PolicyImage, base: Uint8Array, path: Uint8Array, writablePlace: boolean): number[] {
  return image.automata.shell_exec.flatMap((automaton) => {
    const bare = automaton.kind === AUTOMATON_KIND.commandBase;
    const rules = acceptSet(image, automaton.accept(automaton.run(automaton.start, bare ? base : path)));
    return bare && writablePlace ? rules.filter((rule) => !vouchesInVain(image, rule)) : rules;
  });
}

export function matchHost(image: PolicyImage, request: HostRequest): number[] {
  return matchEndpoint(image, request).filter((rule) => speaksOf(image, rule, request.request));
}

/** Rules whose destinations match, whatever requests they speak of. */
export function matchEndpoint(image: PolicyImage, endpoint: Omit<HostRequest, 'request'>): number[] {
  const addressClass = endpoint.address && classOf(endpoint.address as Address);
  return candidatesFor(image.hosts, endpoint)
    .filter((host) => endpoint.port >= host.portLow && endpoint.port <= host.portHigh)
    .filter((host) => namesTarget(host, endpoint, addressClass))
    .map(({ rule }) => rule);
}

/**
 * Whether a rule for certain methods or paths speaks of this request. Of what is not known the worst is assumed: a rule that loosens stays
 * silent, a stricter one speaks.
 */
function speaksOf(image: PolicyImage, index: number, request: HttpRequest | undefined): boolean {
  const { effect, flags, methods } = image.rules[index]!;
  const unknown = EFFECT[effect] > EFFECT.shadow;
  if (flags & RULE_FLAG.methods && !(request ? methods.has(request.method) : unknown)) return false;
  if ((flags & RULE_FLAG.requestPaths) === 0) return true;
  return request?.path ? matchRequestPath(image, request.path).has(index) : unknown;
}

function matchRequestPath(image: PolicyImage, path: Uint8Array): Set<number> {
  return new Set(
    image.automata.network.flatMap((automaton) =>
      acceptSet(image, automaton.accept(automaton.run(automaton.start, path))),
    ),
  );
}

export function acceptSet(image: PolicyImage, accept: number): number[] {
  const rules: number[] = [];
  for (let at = accept + 1, end = at + image.accepts[accept]!; at < end; at++) rules.push(image.accepts[at]!);
  return rules;
}

/** A bare name must not vouch for a program that the run itself may have put there. */
function vouchesInVain(image: PolicyImage, rule: number): boolean {
  const { effect, flags } = image.rules[rule]!;
  return EFFECT[effect] <= EFFECT.shadow && (flags & RULE_FLAG.anyProgram) === 0;
}

/** Whether the entry speaks of the host, on whatever port. */
export function namesTarget(
  host: HostView,
  { name, address, own }: HostRequest,
  addressClass: AddressClass | undefined,
): boolean {
  switch (host.kind) {
    case HOST_KIND.any:
      return addressClass === undefined ? name !== undefined : addressClass === 'public' && !own;
    case HOST_KIND.name:
      return name === host.host;
    case HOST_KIND.suffix:
      return name?.endsWith(`.${host.host}`) ?? false;
    case HOST_KIND.range:
      return address !== undefined && isInRange(address, host);
    case HOST_KIND.localhost:
      return addressClass === 'loopback' || name === 'localhost';
    default:
      return false;
  }
}

function isInRange(address: Uint8Array, { address: base, prefixLength }: HostView): boolean {
  return address.every((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefixLength - 8 * index));
    return ((byte ^ base[index]!) & (0xff00 >> bits) & 0xff) === 0;
  });
}
