import { type Address, formatAddress, parseAddress } from './address.ts';
import { classOf } from './address-class.ts';
import { type HostName, parseHostName } from './host-name.ts';
import { RESOLVER, syntheticAddress } from './synthetic.ts';

/** How many names the file of hosts spells out. Programs that ask no resolver over TCP reach these and no others. */
export const MOST_LISTED = 512;

/**
 * What a run reads as /etc/resolv.conf (resolv.conf(5)): the run's own resolver, asked over TCP, and of the user's file how short names are completed.
 * @param real the user's file; undefined when there is none that can be read
 */
export function resolvConf(real: string | undefined): string {
  const lines = linesOf(real).map(wordsOf);
  const search = searchLine(lines);
  const options = lines.filter(([key]) => key === 'options').flatMap(([, ...values]) => values);
  const dots = options.findLast((option) => /^ndots:\d{1,3}$/.test(option));
  return [
    MADE,
    `nameserver ${formatAddress(syntheticAddress(4, RESOLVER))}`,
    ...(search ? [[search[0], ...search.slice(1).filter(isSuffix)].join(' ')] : []),
    ['options use-vc timeout:3 attempts:2', ...(dots ? [dots] : [])].join(' '),
    '',
  ].join('\n');
}

/** What resolvers that read this resolv.conf append to names that they do not find, in lower case. */
export function searchDomainsIn(file: string | undefined): string[] {
  const domains = searchLine(linesOf(file).map(wordsOf))?.slice(1).filter(isSuffix) ?? [];
  return domains.map((domain) => domain.toLowerCase().replace(/\.$/, '')).filter((domain) => domain !== '');
}

/** Of several the C library obeys the last. */
const searchLine = (lines: string[][]): string[] | undefined =>
  lines.findLast(([key, ...values]) => (key === 'search' || key === 'domain') && values.some(isSuffix));

/**
 * What a run reads as /etc/hosts (hosts(5)): the lines of the user's file that lead to this machine, as they are, and a line for each of the names with
 * the address that stands for it. A name that the user leads to this machine is not led elsewhere: many programs look for the machine's own, which
 * containers have by the address of an interface. Other names lead where the user's file has them when a rule names that address, since no resolver would
 * know them; one that is allowed by itself has the address that stands for it.
 * @param isOwn whether an address is one of this machine's interfaces
 * @param mayReachAt whether a rule names the address in order to allow connections to it, and the name may be reached there
 */
export function hostsFile(
  real: string | undefined,
  names: readonly { name: HostName; number: number }[],
  isOwn: (address: Address) => boolean,
  mayReachAt: (name: HostName, address: Address) => boolean,
): string {
  const lines = linesOf(real).map((line) => ({ line, ...hostsLine(line) }));
  const kept = lines.filter(({ address }) => address && (classOf(address) === 'loopback' || isOwn(address)));
  const local = new Set(kept.flatMap(({ called }) => called).map((name) => name.toLowerCase()));
  const listed = names.filter(({ name }) => !local.has(name)).slice(0, MOST_LISTED);
  const spoken = new Set<string>([...local, ...listed.map(({ name }) => name)]);
  const elsewhere = lines.flatMap(({ address, called }) => {
    if (!address || isOwn(address) || classOf(address) === 'loopback') return [];
    const left = called.map(parseHostName).filter((name) => name && !spoken.has(name) && mayReachAt(name, address));
    return left.length > 0 ? [[formatAddress(address), ...left].join('\t')] : [];
  });
  return [
    MADE,
    ...(local.has('localhost') ? [] : ['127.0.0.1\tlocalhost', '::1\tlocalhost']),
    ...kept.map(({ line }) => line),
    ...elsewhere,
    ...listed.map(({ name, number }) => `${formatAddress(syntheticAddress(4, number))}\t${name}`),
    '',
  ].join('\n');
}

/** Without those that no program reads in one way only. */
function linesOf(text: string | undefined): string[] {
  return (text ?? '')
    .split('\n')
    .slice(0, MOST_LINES)
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line.length <= LONGEST_LINE && !/[\0\r]/.test(line));
}

/** The words of a line before its comment. */
function wordsOf(line: string): string[] {
  return line
    .replace(/[#;].*/, '')
    .split(/[ \t]+/)
    .filter((word) => word !== '');
}

function hostsLine(line: string): { address: Address | undefined; called: string[] } {
  const [address = '', ...called] = wordsOf(line);
  return { address: parseAddress(address), called };
}

/** Underscores are none of a host, and usual in names that a search list gives. */
const isSuffix = (word: string): boolean => /^(?=.{1,253}$)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?$/i.test(word);

const MADE = '# Made by gatekeeper for this run: its resolver gives names addresses that stand for them.';
const MOST_LINES = 4096;
const LONGEST_LINE = 4096;
