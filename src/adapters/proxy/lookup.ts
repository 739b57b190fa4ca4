import { promises as dns } from 'node:dns';
import { type Address, parseAddress } from '../../core/egress/address.ts';
import type { HostName } from '../../core/egress/host-name.ts';
import { FairTurns } from './fair-turns.ts';
import { RunLoad } from './limits.ts';

/** All addresses of a name, as text, in the order to try them. */
export type Resolve = (name: string) => Promise<readonly string[]>;

export const systemResolve: Resolve = async (name) =>
  (await dns.lookup(name, { all: true, order: 'verbatim' })).map(({ address }) => address);

/**
 * Asks the resolver, once for a name that a run is asking for already. The system's resolver occupies one of the few threads that also write
 * files, so only some names are asked for at a time, and a run with slow names stalls neither the daemon nor other runs.
 */
export class Lookup {
  readonly #resolve: Resolve;
  readonly #timeoutMs: number;
  readonly #underWay = new Map<string, Promise<readonly Address[]>>();
  readonly #turns = new FairTurns(AT_ONCE);
  readonly #load = new RunLoad(NAMES_PER_RUN);

  constructor(resolve: Resolve, timeoutMs: number) {
    this.#resolve = resolve;
    this.#timeoutMs = timeoutMs;
  }

  /** Empty when the name has no address or the resolver did not answer in time. */
  async addresses(run: string, name: HostName): Promise<readonly Address[]> {
    if (name === 'localhost') return LOOPBACK; // RFC 6761, 6.3: never a matter of the resolver
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<readonly Address[]>((resolve) => {
      timer = setTimeout(resolve, this.#timeoutMs, []);
    });
    try {
      return await Promise.race([this.#shared(run, name), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #shared(run: string, name: HostName): Promise<readonly Address[]> {
    const key = `${run}\0${name}`;
    const known = this.#underWay.get(key);
    if (known) return known;
    const giveBack = this.#load.take(run);
    if (!giveBack) return Promise.resolve([]);
    const asked = this.#ask(run, name).finally(() => {
      giveBack();
      this.#underWay.delete(key);
    });
    this.#underWay.set(key, asked);
    return asked;
  }

  async #ask(run: string, name: HostName): Promise<readonly Address[]> {
    await this.#turns.enter(run);
    try {
      const texts = await this.#resolve(name);
      return texts.map(parseAddress).filter((address) => address !== undefined);
    } catch {
      return [];
    } finally {
      this.#turns.leave(run);
    }
  }
}

const LOOPBACK = [parseAddress('127.0.0.1'), parseAddress('::1')].filter((address) => address !== undefined);
const AT_ONCE = 3;
/** Names that a run may wait for at a time, those included whose askers have given up. */
const NAMES_PER_RUN = 64;
