import {
  closeSync,
  constants,
  ftruncateSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import type { Address } from '../../core/egress/address.ts';
import { type Host, type HostName, parseHostName } from '../../core/egress/host-name.ts';
import { FIRST_NAME, MOST_NAMES, syntheticNumber } from '../../core/egress/synthetic.ts';
import type { Known } from './egress-event.ts';

/**
 * Which synthetic addresses stand for which names, run by run. A number is given once and never to another name of its run, and is in the run's
 * directory (`names`: one name a line, the first has the first number) before anybody hears of it: programs keep addresses for as long as they live,
 * and a daemon that comes back has to know them.
 */
export class RunNames {
  readonly #directoryOf: (run: string) => string | undefined;
  readonly #most: number;
  readonly #tables = new Map<string, Table>();

  /** @param directoryOf where a run's names are kept; undefined: in memory alone */
  constructor(directoryOf: (run: string) => string | undefined = () => undefined, most: number = MOST_NAMES) {
    this.#directoryOf = directoryOf;
    this.#most = most;
  }

  /**
   * The numbers of these names, in their order; undefined when the run has as many as it may.
   * @throws when they cannot be kept; then none of them is given
   */
  numbersOf(run: string, names: readonly HostName[]): number[] | undefined {
    const table = this.#table(run);
    const fresh = [...new Set(names)].filter((name) => !table.numbers.has(name));
    if (table.names.length + fresh.length > this.#most) return undefined;
    if (fresh.length > 0) append(table, fresh);
    return names.map((name) => table.numbers.get(name)!);
  }

  /** The name that an address stands for in the run; undefined for addresses that stand for none. */
  nameOf(run: string, address: Address): HostName | undefined {
    const number = syntheticNumber(address);
    if (number === undefined || number < FIRST_NAME) return undefined;
    try {
      return this.#table(run).names[number - FIRST_NAME];
    } catch {
      return undefined;
    }
  }

  /** The run is over. */
  forget(run: string): void {
    this.#tables.delete(run);
  }

  #table(run: string): Table {
    const known = this.#tables.get(run);
    if (known) return known;
    const directory = this.#directoryOf(run);
    const table = load(directory === undefined ? undefined : `${directory}/names`, this.#most);
    this.#tables.set(run, table);
    return table;
  }
}

/** The host that a program means by an address. A synthetic one that stands for no name in its run stays, and is refused. */
export function meantBy(names: RunNames, run: string, address: Address): { host: Host; known: Known } {
  const name = names.nameOf(run, address);
  return name === undefined
    ? { host: { kind: 'address', address }, known: 'literal' }
    : { host: { kind: 'name', name }, known: 'dns' };
}

type Table = {
  file: string | undefined;
  /** Length of the file as far as it is whole. */
  bytes: number;
  /** Undefined where the file has a line that is no name: nothing stands for that number. */
  names: (HostName | undefined)[];
  numbers: Map<HostName, number>;
};

/** What stands behind the last line end was never answered with: the daemon was killed while it wrote. */
function load(file: string | undefined, most: number): Table {
  const table: Table = { file, bytes: 0, names: [], numbers: new Map() };
  const size = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })?.size;
  if (file === undefined || size === undefined) return table;
  if (size > most * LONGEST_LINE) throw new Error(`${file} is longer than it can be`);
  const text = readFileSync(file, 'latin1');
  table.bytes = text.lastIndexOf('\n') + 1;
  if (table.bytes < text.length) truncateSync(file, table.bytes);
  const lines = text.slice(0, table.bytes).split('\n').slice(0, -1);
  add(
    table,
    lines.map((line) => (parseHostName(line) === line ? (line as HostName) : undefined)),
  );
  return table;
}

function append(table: Table, names: readonly HostName[]): void {
  const line = Buffer.from(names.map((name) => `${name}\n`).join(''), 'latin1');
  if (table.file !== undefined) {
    const fd = openSync(table.file, WRITE, 0o600);
    try {
      // Also when an earlier attempt left something behind.
      ftruncateSync(fd, table.bytes);
      for (let at = 0; at < line.length; ) at += writeSync(fd, line, at);
    } finally {
      closeSync(fd);
    }
  }
  table.bytes += line.length;
  add(table, names);
}

function add({ names, numbers }: Table, more: readonly (HostName | undefined)[]): void {
  for (const name of more) {
    if (name !== undefined && !numbers.has(name)) numbers.set(name, FIRST_NAME + names.length);
    names.push(name);
  }
}

const WRITE = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
const LONGEST_LINE = 254;
