import { type Address, facesOf } from '../../core/egress/address.ts';
import { classOf } from '../../core/egress/address-class.ts';
import type { HostName } from '../../core/egress/host-name.ts';
import type { HttpRequest } from '../../core/engine/decide.ts';
import type { DecideHost } from './gate.ts';
import { byDefault, guarded, spoken, type Word } from './word.ts';

export type AddressJudge<Image> = {
  decide: DecideHost<Image>;
  /** Ports of gatekeeper's own listeners on loopback; no rule opens them. */
  isOwnPort(port: number): boolean;
  /** Whether an interface of this machine has the address. */
  isOwnAddress(address: Address): boolean;
};

/**
 * Judges an address that would be dialled, with the name that led to it if one did. A rule for a name does not vouch for where its owner points it, nor
 * does one for everything or a permissive default: what is not on the public internet, and what is this machine itself, has to be named.
 */
export function judgeAddress<Image>(
  { decide, isOwnPort, isOwnAddress }: AddressJudge<Image>,
  image: Image,
  name: HostName | undefined,
  address: Address,
  asked: { port: number; request: HttpRequest | undefined },
): Word {
  const kind = classOf(address);
  if (kind === 'synthetic') return guarded('synthetic-address');
  if ((kind === 'loopback' || kind === 'unspecified') && isOwnPort(asked.port)) return guarded('own-port');
  let last: Word | undefined;
  for (const face of facesOf(address)) {
    last = spoken(decide(image, name ? { name, address: face, ...asked } : { address: face, ...asked }));
    if (last.effect !== 'allow') return last;
    const own = kind === 'public' && isOwnAddress(face);
    if (kind === 'public' && !own) continue;
    const bare = decide(image, { address: face, ...asked, ...(own && { own }) });
    if (bare.effect !== 'allow' || bare.source !== 'rule') return own ? OWN : SPECIAL;
  }
  return last ?? SPECIAL;
}

const SPECIAL = byDefault('special-address');
const OWN = byDefault('own-address');
