import { classOf } from '../egress/address-class.ts';
import { formatHost } from '../egress/authority.ts';
import { type Host, parseHost } from '../egress/host-name.ts';
import { EGRESS_REASON } from '../egress/reason.ts';
import { everythingBeneath, type Wider } from './net-wider.ts';

/** What a receipt tells of an attempt to reach something; members as in the audit log, which is not trusted to be well formed. */
export type Attempt = {
  destination?: string | undefined;
  address?: string | undefined;
  port?: number | undefined;
  via?: string | undefined;
  program?: string | undefined;
  verdict?: string | undefined;
  source?: string | undefined;
  rule?: string | undefined;
  reason?: string | undefined;
  syscall?: string | undefined;
  method?: string | undefined;
  path?: string | undefined;
  count?: number | undefined;
};

/** One host that no rule allows, and exactly the ports that were tried. */
export type SuggestedRule = {
  host: string;
  /** As in a rule: `api.example:443`, `api.example:8000-8002`. */
  destinations: string[];
  /** The name was asked for (DNS) and a port was not tried: the usual one of the program, or that of HTTPS, stands for it. */
  assumed: boolean;
  attempts: number;
  programs: string[];
};

/** What is not suggested: a rule refused it or lets only some requests through, a human is to be asked, or it lies on this machine or in its network. */
export type NotSuggested = {
  destination: string;
  why: 'rule' | 'ask' | 'requests' | 'private' | 'metadata' | 'other';
  /** The rule that refused it, or the reason in words. */
  because: string;
  /** What the user could type all the same. */
  command: string | null;
  attempts: number;
};

export type Surroundings = {
  /** What resolvers of this machine append to names; what was asked for with one of them was probably not meant. */
  searchDomains?: readonly string[];
  /** The rule that lets only some requests to the place through: one for the whole place would undo it. */
  limitedBy?: (host: Host, port: number) => string | undefined;
};

export type Suggestion = { rules: SuggestedRule[]; wider: Wider[]; notSuggested: NotSuggested[] };

/** The least rules that allow what was refused because no rule allowed it, and nothing else. Of what was allowed nothing is said. */
export function suggestRules(attempts: Iterable<Attempt>, surroundings: Surroundings = {}): Suggestion {
  const wanted = new Map<string, Wanted>();
  const apart = new Map<string, NotSuggested>();
  for (const attempt of attempts) {
    if (!isRefused(attempt)) continue;
    const times = attempt.count ?? 1;
    const host = hostOf(attempt.destination);
    const obstacle =
      host && isWanted(attempt, host) ? obstacleOf(attempt, host, surroundings) : setApart(attempt, host);
    if (!obstacle) {
      note(wanted, formatHost(host!), attempt, times);
      continue;
    }
    const key = `${obstacle.destination} ${obstacle.why} ${obstacle.because}`;
    const known = apart.get(key);
    if (known) known.attempts += times;
    else apart.set(key, { ...obstacle, attempts: times });
  }
  const rules = [...wanted].map(([host, entry]) => ruleFor(host, entry)).sort(byAttempts);
  return { rules, wider: everythingBeneath(rules), notSuggested: [...apart.values()].sort(byAttempts) };
}

type Obstacle = Omit<NotSuggested, 'attempts'>;
/** `usual`: ports of programs that have one, and asked for the name alone. */
type Wanted = { ports: Set<number>; usual: Set<number>; attempts: number; programs: Set<string> };

const isRefused = ({ verdict }: Attempt): boolean => verdict === 'deny' || verdict === 'would-deny';

/** A destination of the log: IPv6 stands there without brackets. */
function hostOf(destination: string | undefined): Host | undefined {
  if (destination === undefined) return undefined;
  return parseHost(destination.includes(':') ? `[${destination}]` : destination);
}

/** Whether nothing stands in the way but that no rule allows it. */
function isWanted({ source, via, port, syscall, reason }: Attempt, host: Host): boolean {
  if (source !== 'default' || (via === undefined && syscall !== 'connect')) return false;
  if (via !== 'dns' && !isPort(port)) return false;
  return (reason === undefined || !OBSTACLES.has(reason)) && isPublic(host);
}

/** Why a rule for it should not be suggested though it would help. */
function obstacleOf(
  attempt: Attempt,
  host: Host,
  { searchDomains = [], limitedBy }: Surroundings,
): Obstacle | undefined {
  const domain = appended(attempt, host, searchDomains);
  if (domain !== undefined) return searched(formatHost(host), domain);
  const { via, port = HTTPS, method, path = '' } = attempt;
  const rule = limitedBy?.(host, port) ?? (via === 'inspect' ? 'the rule that inspects there' : undefined);
  if (rule === undefined) return undefined;
  const request = method === undefined ? '' : `, and ${method} ${path} is none of them`;
  const because = `${rule} lets only some requests through${request}: widen methods or paths of that rule`;
  return { destination: `${formatHost(host)}:${port}`, why: 'requests', because, command: null };
}

/** The search domain that a resolver put behind a name that had dots of its own. */
function appended({ via }: Attempt, host: Host, searchDomains: readonly string[]): string | undefined {
  if (via !== 'dns' || host.kind !== 'name') return undefined;
  return searchDomains.find((domain) => {
    const ending = `.${domain.toLowerCase().replace(/\.$/, '')}`;
    return host.name.endsWith(ending) && host.name.slice(0, -ending.length).includes('.');
  });
}

function searched(name: string, domain: string): Obstacle {
  const because = `asked for by a resolver, which put the search domain ${domain} behind another name`;
  return { destination: name, why: 'other', because, command: `gatekeeper net allow ${name}:${HTTPS}` };
}

const isPublic = (host: Host): boolean =>
  host.kind === 'name'
    ? host.name !== 'localhost' && !host.name.endsWith('.localhost')
    : classOf(host.address) === 'public';

const isPort = (port: number | undefined): port is number =>
  port !== undefined && Number.isInteger(port) && port >= 1 && port <= 65_535;

function note(wanted: Map<string, Wanted>, host: string, { port, via, program }: Attempt, times: number): void {
  const entry = wanted.get(host) ?? { ports: new Set(), usual: new Set(), attempts: 0, programs: new Set() };
  const name = program?.slice(program.lastIndexOf('/') + 1);
  const usual = USUAL_PORTS.get(name ?? '');
  if (via !== 'dns') entry.ports.add(port!);
  else if (usual !== undefined) entry.usual.add(usual);
  if (name !== undefined) entry.programs.add(name);
  entry.attempts += times;
  wanted.set(host, entry);
}

function ruleFor(host: string, { ports, usual, attempts, programs }: Wanted): SuggestedRule {
  const all = new Set([...ports, ...usual]);
  const assumed = all.size === 0 || all.size > ports.size;
  const destinations = portRanges(all.size === 0 ? [HTTPS] : [...all]).map((range) => `${host}:${range}`);
  return { host, destinations, assumed, attempts, programs: [...programs].sort() };
}

/** `443`, `8000-8002`: neighbours are put together, since that allows no other. */
function portRanges(ports: readonly number[]): string[] {
  const ranges: [number, number][] = [];
  for (const port of [...ports].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && last[1] === port - 1) last[1] = port;
    else ranges.push([port, port]);
  }
  return ranges.map(([low, high]) => (low === high ? `${low}` : `${low}-${high}`));
}

function setApart(attempt: Attempt, host: Host | undefined): Obstacle {
  const { source, rule, reason, port, destination = '?' } = attempt;
  const behind = hostOf(attempt.address);
  const shown = host ? formatHost(host) : destination;
  const ending = isPort(port) ? `:${port}` : '';
  const entry = { destination: `${shown}${ending}`, why: 'other' as const, command: null };
  if (source === 'rule') return { ...entry, why: 'rule', because: rule ?? 'a rule' };
  if (source === 'silence') {
    const command = host ? `gatekeeper grants add network ${shown}${ending}` : null;
    return { ...entry, why: 'ask', because: rule ?? 'a rule asks', command };
  }
  const place = behind?.kind === 'address' ? behind : host;
  const connects = attempt.via !== undefined || attempt.syscall === 'connect';
  if (source === 'default' && place && reason === 'own-address') return { ...entry, ...ownPlace(place, ending) };
  if (source !== 'default' || !place || !connects || isPublic(place)) return { ...entry, because: inWords(reason) };
  return { ...entry, ...specialPlace(place, isPort(port) ? `:${port}` : '') };
}

function ownPlace(host: Host, ending: string): Pick<NotSuggested, 'why' | 'because' | 'command'> {
  const because = `${formatHost(host)} is an address of this machine`;
  return { why: 'private', because, command: `gatekeeper net allow ${formatHost(host)}${ending}` };
}

function specialPlace(host: Host, ending: string): Pick<NotSuggested, 'why' | 'because' | 'command'> {
  const kind = host.kind === 'name' ? 'loopback' : classOf(host.address);
  if (kind === 'metadata')
    return { why: 'metadata', because: 'clouds hand out credentials at this address', command: null };
  if (kind === 'synthetic' || kind === 'unspecified' || kind === 'multicast')
    return { why: 'other', because: `${formatHost(host)} is no address to connect to`, command: null };
  const place = kind === 'loopback' ? 'localhost' : formatHost(host);
  const because =
    kind === 'loopback' ? 'a service of this machine' : `${formatHost(host)} is not on the public internet (${kind})`;
  return { why: 'private', because, command: `gatekeeper net allow ${place}${ending}` };
}

function inWords(reason: string | undefined): string {
  if (reason === undefined) return 'nothing is known of the reason';
  const words = Object.hasOwn(EGRESS_REASON, reason) ? EGRESS_REASON[reason as keyof typeof EGRESS_REASON] : reason;
  const remedy = reason.startsWith('sni-') ? 'a rule for it with "sni: any" lets that through' : REMEDIES.get(reason);
  return remedy === undefined ? words : `${words}; ${remedy}`;
}

function byAttempts(one: { attempts: number }, other: { attempts: number }): number {
  return other.attempts - one.attempts || (text(one) < text(other) ? -1 : 1);
}

const text = (entry: object): string => JSON.stringify(entry);

/** What a rule that allows the destination would not change. */
const OBSTACLES: ReadonlySet<string> = new Set(Object.keys(EGRESS_REASON).filter((reason) => reason !== 'no-rule'));
const UNSEEN = 'say "inspect: false" with "override: true" for it';
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['authority-refused', `have it trust $NODE_EXTRA_CA_CERTS, or ${UNSEEN}`],
  ['not-inspected', UNSEEN],
  ['authority-lost', 'start the run again'],
  ['secret-unknown', 'set the variable where you call gatekeeper run'],
]);
const HTTPS = 443;
/** Programs that seldom connect to another port. */
const USUAL_PORTS: ReadonlyMap<string, number> = new Map([
  ...['ssh', 'scp', 'sftp'].map((program) => [program, 22] as const),
  ...['psql', 'pg_dump', 'pg_restore', 'pg_isready'].map((program) => [program, 5432] as const),
  ...['mysql', 'mariadb', 'mysqldump'].map((program) => [program, 3306] as const),
  ['redis-cli', 6379],
]);
