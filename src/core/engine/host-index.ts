import { HOST_KIND } from '../policy/destination.ts';
import type { HostView } from './image.ts';

/** An entry and where it stands among all. */
type Placed = { at: number; host: HostView };

/**
 * The entries of a policy by what they name: a decision looks at those that may speak of its host rather than at all. It only leaves out; whether an entry
 * speaks is for the caller to judge.
 */
export class HostIndex {
  /** Kinds that are not looked up: any, localhost, and what a later format may bring. */
  readonly #always: Placed[] = [];
  readonly #names = new Map<string, Placed[]>();
  readonly #suffixes = new Map<string, Placed[]>();
  /** By the length of their prefix, then by its bits. */
  readonly #ranges = new Map<number, Map<string, Placed[]>>();

  constructor(hosts: readonly HostView[]) {
    for (const [at, host] of hosts.entries()) {
      if (host.kind === HOST_KIND.name) put(this.#names, host.host, { at, host });
      else if (host.kind === HOST_KIND.suffix) put(this.#suffixes, host.host, { at, host });
      else if (host.kind === HOST_KIND.range) put(this.#rangesOf(host.prefixLength), prefixOf(host), { at, host });
      else this.#always.push({ at, host });
    }
  }

  /** In the order of the policy. */
  candidates({ name, address }: { name?: string; address?: Uint8Array }): HostView[] {
    const found = [...this.#always];
    if (name !== undefined) {
      found.push(...(this.#names.get(name) ?? NONE));
      for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1))
        found.push(...(this.#suffixes.get(name.slice(dot + 1)) ?? NONE));
    }
    if (address !== undefined)
      for (const [prefixLength, ranges] of this.#ranges)
        found.push(...(ranges.get(prefixOf({ address, prefixLength })) ?? NONE));
    return found.sort((a, b) => a.at - b.at).map(({ host }) => host);
  }

  #rangesOf(prefixLength: number): Map<string, Placed[]> {
    const known = this.#ranges.get(prefixLength);
    if (known) return known;
    const ranges = new Map<string, Placed[]>();
    this.#ranges.set(prefixLength, ranges);
    return ranges;
  }
}

/** Those of a policy's entries that may speak of the host. */
export function candidatesFor(hosts: readonly HostView[], host: Parameters<HostIndex['candidates']>[0]) {
  if (hosts.length <= FEW) return hosts;
  let index = INDICES.get(hosts);
  if (index === undefined) {
    index = new HostIndex(hosts);
    INDICES.set(hosts, index);
  }
  return index.candidates(host);
}

function put(map: Map<string, Placed[]>, key: string, placed: Placed): void {
  const known = map.get(key);
  if (known) known.push(placed);
  else map.set(key, [placed]);
}

/** One character a byte, those bits zero that the range leaves open. */
function prefixOf({ address, prefixLength }: Pick<HostView, 'address' | 'prefixLength'>): string {
  let prefix = '';
  for (let at = 0; at < address.length && 8 * at < prefixLength; at++) {
    const bits = Math.min(8, prefixLength - 8 * at);
    prefix += String.fromCharCode(address[at]! & (0xff00 >> bits) & 0xff);
  }
  return prefix;
}

const NONE: readonly Placed[] = [];
/** Looking at so many is cheaper than looking them up. */
const FEW = 16;
const INDICES = new WeakMap<readonly HostView[], HostIndex>();
