import { type Address, facesOf } from '../egress/address.ts';
import { classOf } from '../egress/address-class.ts';
import type { HostName } from '../egress/host-name.ts';
import type { HttpRequest } from './decide.ts';
import { byDefault, guarded, type HostVerdict, spoken, type Word } from './egress-word.ts';

export type DecideHost<Image> = (
  image: Image,
  target: { name?: HostName; address?: Address; own?: boolean; port: number; request?: HttpRequest | undefined },
) => HostVerdict;

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
  judge: AddressJudge<Image>,
  image: Image,
  name: HostName | undefined,
  address: Address,
  asked: { port: number; request: HttpRequest | undefined },
): Word {
  const kind = classOf(address);
  if (kind === 'synthetic') return guarded('synthetic-address');
  if ((kind === 'loopback' || kind === 'unspecified') && judge.isOwnPort(asked.port)) return guarded('own-port');
  const faces = facesOf(address).map((face) => ({ face, own: kind === 'public' && judge.isOwnAddress(face) }));
  const word = judgeFaces(judge, image, name, { faces, asked, isPublic: kind === 'public' });
  return faces.some(({ own }) => own) ? { ...word, own: true } : word;
}

type Faces = {
  faces: readonly { face: Address; own: boolean }[];
  isPublic: boolean;
  asked: { port: number; request: HttpRequest | undefined };
};

function judgeFaces<Image>(
  { decide }: AddressJudge<Image>,
  image: Image,
  name: HostName | undefined,
  { faces, isPublic, asked }: Faces,
): Word {
  let last: Word | undefined;
  for (const { face, own } of faces) {
    last = spoken(decide(image, name ? { name, address: face, ...asked } : { address: face, ...asked }));
    if (last.effect !== 'allow') return last;
    if (isPublic && !own) continue;
    const bare = decide(image, { address: face, ...asked, ...(own && { own }) });
    if (bare.effect !== 'allow' || bare.source !== 'rule') return own ? OWN : SPECIAL;
  }
  return last ?? SPECIAL;
}

const SPECIAL = byDefault('special-address');
const OWN = byDefault('own-address');
