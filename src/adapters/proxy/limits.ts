/** Bounds on what one run can make the daemon hold. Everything past them is refused. */
export type Limits = {
  /** Client sockets of one run, tunnels included. */
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
  /** Tunnel without a byte in either direction; event streams and idle editors are quiet for long. */
  idleMs: number;
};

export const DEFAULT_LIMITS: Limits = {
  socketsPerRun: 1024,
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
  idleMs: 2 * 60 * 60 * 1000,
};

/** Counts what each run holds; nothing is kept of a run that holds nothing. */
export class RunLoad {
  readonly #max: number;
  readonly #held = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** The function that gives the place back (once, however often it is called); undefined when the run is at its bound. */
  take(run: string): (() => void) | undefined {
    const held = this.#held.get(run) ?? 0;
    if (held >= this.#max) return undefined;
    this.#held.set(run, held + 1);
    let taken = true;
    return () => {
      if (taken) this.#giveBack(run);
      taken = false;
    };
  }

  #giveBack(run: string): void {
    const held = (this.#held.get(run) ?? 0) - 1;
    if (held > 0) this.#held.set(run, held);
    else this.#held.delete(run);
  }
}
