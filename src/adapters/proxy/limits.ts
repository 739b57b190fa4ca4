/** Bounds on what one run can make the daemon hold. Everything past them is refused. */
export type Limits = {
  /** Client sockets of all runs, tunnels included; fewer where there are not so many descriptors. */
  sockets: number;
  /** Those of one run, which besides never holds more than three times as many as are left. */
  socketsPerRun: number;
  /** Plain HTTP exchanges of one run under way; pipelining makes them more than sockets. */
  requestsPerRun: number;
  /** Accepted sockets whose announcement has not been found yet, over all runs. */
  unattributed: number;
  attributionMs: number;
  /** For the whole header of a request. */
  headersMs: number;
  /** How often late headers are looked for. */
  headersCheckMs: number;
  headerBytes: number;
  /** Client connection without a request. */
  keepAliveMs: number;
  lookupMs: number;
  /** Head start of each address before the next one is tried too (RFC 8305). */
  staggerMs: number;
  dialMs: number;
  /** Where TLS is required: for the client's first byte, once its tunnel is there. */
  firstByteMs: number;
  /** For the rest of its hello. */
  helloMs: number;
  /** Questions for names on one connection. */
  questionsPerConnection: number;
  /** Connection for questions without one. */
  nameIdleMs: number;
  /** What a process is refused again within this time is on record already: it belongs to one look-up. */
  refusedAgainMs: number;
  /** Tunnel without a byte in either direction; event streams and idle editors are quiet for long. */
  idleMs: number;
};

export const DEFAULT_LIMITS: Limits = {
  sockets: 16_384,
  socketsPerRun: 8192,
  requestsPerRun: 256,
  unattributed: 512,
  attributionMs: 1000,
  headersMs: 30_000,
  headersCheckMs: 2000,
  headerBytes: 32 * 1024,
  keepAliveMs: 65_000,
  lookupMs: 10_000,
  staggerMs: 250,
  dialMs: 30_000,
  firstByteMs: 30_000,
  helloMs: 10_000,
  questionsPerConnection: 1000,
  nameIdleMs: 10_000,
  refusedAgainMs: 5_000,
  idleMs: 2 * 60 * 60 * 1000,
};

/** So many client sockets leave descriptors for their far sides, for attempts to reach those, and for everything else that the daemon does. */
export function socketsWithin(descriptors: number): number {
  return Math.max(1, Math.floor((descriptors - OWN_DESCRIPTORS) * 0.4));
}

/** Counts what each run holds; nothing is kept of a run that holds nothing. */
export class RunLoad {
  readonly #max: number;
  readonly #inAll: number;
  readonly #held = new Map<string, number>();
  #total = 0;

  /** @param max for one run @param inAll for all together: the more a run holds, the more it must leave to others */
  constructor(max: number, inAll = Number.POSITIVE_INFINITY) {
    this.#max = max;
    this.#inAll = inAll;
  }

  /** The function that gives the place back (once, however often it is called); undefined when the run is at its bound. */
  take(run: string): (() => void) | undefined {
    const held = this.#held.get(run) ?? 0;
    const left = this.#inAll - this.#total;
    if (held >= this.#max || left <= 0 || held >= SHARE * left) return undefined;
    this.#held.set(run, held + 1);
    this.#total++;
    let taken = true;
    return () => {
      if (taken) this.#giveBack(run);
      taken = false;
    };
  }

  #giveBack(run: string): void {
    this.#total--;
    const held = (this.#held.get(run) ?? 0) - 1;
    if (held > 0) this.#held.set(run, held);
    else this.#held.delete(run);
  }
}

/** Times what is left for others. */
const SHARE = 3;
const OWN_DESCRIPTORS = 256;
