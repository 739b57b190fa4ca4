import { classOf } from '../egress/address-class.ts';
import { formatHost } from '../egress/authority.ts';
import { parseHost } from '../egress/host-name.ts';
import type { Attempt } from './net-suggest.ts';

/** What a receipt tells of a connection; members as in the audit log. */
export type NetReceipt = Attempt & {
  action: string;
  time: string;
  run?: string | undefined;
  agent?: string | undefined;
  known?: string | undefined;
  bytesUp?: number | undefined;
  bytesDown?: number | undefined;
  until?: string | undefined;
};

/** What one program of one run had to do with one destination. */
export type Activity = {
  run: string;
  agent: string;
  /** `api.example:443`; the host alone when no port was asked for. */
  destination: string;
  program: string;
  /** What TLS called the bare address that was connected to, the last time. */
  called?: string | undefined;
  /** Of the last attempt. */
  verdict: string;
  rule: string | undefined;
  reason: string | undefined;
  via: string | undefined;
  known: string | undefined;
  count: number;
  bytesUp: number;
  bytesDown: number;
  /** Connections that have not been closed. */
  open: number;
  /** RFC 3339. */
  last: string;
};

/** Folds receipts into one row for each run, destination and program, the one that something happened to last at the end. */
export class NetActivity {
  readonly #rows = new Map<string, Activity>();
  readonly #most: number;

  /** @param most rows that are kept: a run can try as many names as it likes. */
  constructor(most = 2000) {
    this.#most = most;
  }

  /** Whether anything changed. */
  take(receipt: NetReceipt): boolean {
    const { action, run } = receipt;
    if (action === 'run_end' || action === 'run_lost') return this.#close((row) => row.run === run);
    if (action === 'daemon_start') return this.#close(() => true);
    if (!isNetReceipt(receipt)) return false;
    if (action === 'connection_closed') return this.#closed(receipt);
    const key = keyOf(receipt);
    const row = this.#rows.get(key) ?? newRow(receipt);
    // Behind all others, as the last that something happened to.
    this.#rows.delete(key);
    this.#rows.set(key, row);
    Object.assign(row, outcomeOf(receipt), { last: receipt.until ?? receipt.time });
    row.count += receipt.count ?? 1;
    if (isDialled(receipt)) row.open++;
    if (this.#rows.size > this.#most) this.#rows.delete(this.#rows.keys().next().value!);
    return true;
  }

  forget(run: string): void {
    for (const [key, row] of this.#rows) if (row.run === run) this.#rows.delete(key);
  }

  /** The latest first. */
  rows(): Activity[] {
    return [...this.#rows.values()].reverse();
  }

  #closed(receipt: NetReceipt): boolean {
    const { known, destination, address } = receipt;
    // A name that only TLS told is in the end's receipt, and not in that of the beginning.
    const begun = known === 'sni' ? this.#rows.get(keyOf({ ...receipt, destination: address })) : undefined;
    const row = begun?.open ? begun : this.#rows.get(keyOf(receipt));
    if (!row) return false;
    if (row === begun) row.called = destination;
    row.open = Math.max(0, row.open - 1);
    row.bytesUp += receipt.bytesUp ?? 0;
    row.bytesDown += receipt.bytesDown ?? 0;
    row.last = receipt.time;
    return true;
  }

  #close(whose: (row: Activity) => boolean): boolean {
    const rows = [...this.#rows.values()].filter((row) => row.open > 0 && whose(row));
    for (const row of rows) row.open = 0;
    return rows.length > 0;
  }
}

/**
 * Whether it is about a connection to somewhere. The way to gatekeeper's own proxy is none, nor is listening; what a supervisor let through
 * to a door has a second receipt, of the door.
 */
export function isNetReceipt({ action, verdict, via, source, syscall, destination }: NetReceipt): boolean {
  if (action === 'connection_closed') return true;
  if (action !== 'network' || verdict === undefined) return false;
  if (via !== undefined) return true;
  if (source === 'own' || syscall === 'bind' || syscall === 'listen') return false;
  return verdict !== 'allow' || isLoopback(destination ?? '');
}

function isLoopback(destination: string): boolean {
  const host = parseHost(bracketed(destination));
  return host?.kind === 'address' && classOf(host.address) === 'loopback';
}

function newRow(receipt: NetReceipt): Activity {
  const { run = '', agent = '', program = '' } = receipt;
  const numbers = { count: 0, bytesUp: 0, bytesDown: 0, open: 0, last: '' };
  return { run, agent, destination: placeOf(receipt), program, ...outcomeOf(receipt), ...numbers };
}

function outcomeOf({ verdict = '', rule, reason, via, known }: NetReceipt) {
  return { verdict, rule, reason, via, known };
}

/** The host as users write it. A question for a name (DNS) has no port of its own. */
function placeOf({ destination, address, port, via }: NetReceipt): string {
  const text = destination ?? address ?? '?';
  const host = parseHost(bracketed(text));
  const shown = host ? formatHost(host) : text;
  return port === undefined || via === 'dns' ? shown : `${shown}:${port}`;
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

const keyOf = (receipt: NetReceipt): string => JSON.stringify([receipt.run, placeOf(receipt), receipt.program ?? '']);

/** Whether its end will be told. */
function isDialled({ verdict, via, reason, destination, address }: NetReceipt): boolean {
  if (verdict === 'deny' || via === undefined || via === 'dns' || reason === 'unresolved') return false;
  return address !== undefined || parseHost(bracketed(destination ?? ''))?.kind === 'address';
}
