import { behind, classBoundaries } from '../egress/address-class.ts';
import type { HostRequest, HttpRequest } from '../engine/decide.ts';
import { HostIndex } from '../engine/host-index.ts';
import type { HostView, PolicyImage } from '../engine/image.ts';
import { HOST_KIND } from '../policy/destination.ts';
import { pathGrammar } from './grammar.ts';
import { NO_MARK, Walk } from './walk.ts';

/**
 * Connections such that every other is judged like one of them by each of the images: names, then addresses, each with a port out of every
 * range of ports and a request out of every kind that a rule tells apart. Null when the paths of requests are too many to tell apart.
 */
export function representativeRequests(images: readonly PolicyImage[]): Iterable<HostRequest> | null {
  const kinds = requestKinds(images);
  return kinds && generateRequests(images, kinds);
}

/** The same without what is asked for there. */
export function representativeEndpoints(images: readonly PolicyImage[]): Iterable<Omit<HostRequest, 'request'>> {
  return generateRequests(images, [undefined]);
}

function* generateRequests(
  images: readonly PolicyImage[],
  kinds: readonly (HttpRequest | undefined)[],
): Generator<HostRequest> {
  const indexes = images.map(({ hosts }) => new HostIndex(hosts));
  for (const name of representativeNames(images)) {
    for (const port of portsOf(indexes.flatMap((index) => index.candidates({ name })))) {
      for (const request of kinds) yield { name, port, ...(request ? { request } : {}) };
    }
  }
  const unnamed = images.flatMap(({ hosts }) => hosts.filter((host) => host.host === ''));
  for (const address of representativeAddresses(images)) {
    for (const port of portsOf(unnamed)) {
      for (const request of kinds) yield { address, port, ...(request ? { request } : {}) };
    }
  }
}

/** Every name that rules mention, one beneath it that none mentions, and one of which nobody speaks. */
function representativeNames(images: readonly PolicyImage[]): Set<string> {
  const mentioned = new Set(images.flatMap(({ hosts }) => hosts.map(({ host }) => host).filter((host) => host !== '')));
  const names = new Set<string>(['localhost']);
  for (const host of mentioned) names.add(host).add(freshName(`.${host}`, mentioned));
  return names.add(freshName('.example', mentioned));
}

function freshName(suffix: string, taken: ReadonlySet<string>): string {
  const isTaken = (name: string): boolean => {
    const labels = name.slice(0, -suffix.length).split('.');
    return labels.some((_, from) => taken.has(`${labels.slice(from).join('.')}${suffix}`));
  };
  for (let number = 0; ; number++) {
    const name = `any${number || ''}${suffix}`;
    if (!isTaken(name)) return name;
  }
}

/** The first port of every range between two borders. */
function portsOf(entries: readonly HostView[]): number[] {
  const starts = new Set([443, 1]);
  for (const { portLow, portHigh } of entries) starts.add(Math.max(1, portLow)).add(portHigh + 1);
  return [...starts].filter((port) => port <= 65_535);
}

/** The first address of every range between two borders, of rules or of classes, and those that carry an IPv4 address (RFC 5214) near them. */
function representativeAddresses(images: readonly PolicyImage[]): Uint8Array[] {
  const borders = images.flatMap(({ hosts }) =>
    hosts
      .filter(({ kind }) => kind === HOST_KIND.range)
      .flatMap(({ address, prefixLength }) => [address, behind(address, prefixLength) ?? address]),
  );
  const carrying = borders.flatMap((border) =>
    CARRIED.map((v4) => Uint8Array.from([...border.subarray(0, 8), ...ISATAP, ...v4])),
  );
  const distinct = new Map<string, Uint8Array>();
  // Well-known addresses come first, since the first of its kind is shown.
  for (const address of [...WELL_KNOWN, ...borders, ...classBoundaries(), ...carrying])
    distinct.set(address.join(), address);
  return [...distinct.values()];
}

/** Nothing known of the request, then each method that a rule names, and one more, with each kind of path. */
function requestKinds(images: readonly PolicyImage[]): (HttpRequest | undefined)[] | null {
  const rules = images.flatMap((image) => image.rules.filter(({ action }) => action === 'network'));
  const methods = new Set(rules.flatMap(({ methods: named }) => [...named]));
  const paths = representativeRequestPaths(images);
  if (paths === null) return null;
  if (methods.size === 0 && paths.length === 0) return [undefined];
  for (let other = 'GET'; ; other = `X-${other}`) {
    if (methods.has(other)) continue;
    methods.add(other);
    break;
  }
  const known = [...methods].flatMap((method) => [undefined, ...paths].map((path) => ({ method, path })));
  return [undefined, ...known];
}

function representativeRequestPaths(images: readonly PolicyImage[]): Uint8Array[] | null {
  const tracks = images.flatMap(({ automata }) => automata.network.map((automaton) => ({ automaton, lane: 0 })));
  if (tracks.length === 0) return [];
  const walk = new Walk(tracks, pathGrammar(), NO_MARK, MOST_PATH_NODES);
  const found = new Map<string, Uint8Array>();
  const complete = walk.run(({ node, accepts }) => {
    const key = accepts.join();
    if (!found.has(key)) found.set(key, walk.text(node, 0));
    return undefined;
  });
  return complete ? [...found.values()] : null;
}

const v4 = (...bytes: number[]): Uint8Array => Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes]);
const WELL_KNOWN = [v4(8, 8, 8, 8), v4(127, 0, 0, 1), v4(10, 0, 0, 1), v4(192, 168, 0, 1), v4(169, 254, 169, 254)];
const CARRIED = [
  [8, 8, 8, 8],
  [127, 0, 0, 1],
  [10, 0, 0, 1],
];
const ISATAP = [0, 0, 0x5e, 0xfe];
const MOST_PATH_NODES = 500_000;
