import { usualTerms } from '../egress/terms.ts';
import { decideHost } from '../engine/decide.ts';
import { type Endpoint, egressTermsFor, mayInspect, rulesForSome } from '../engine/egress-terms.ts';
import type { PolicyImage } from '../engine/image.ts';
import { SNI } from '../policy/connection-terms.ts';
import { representativeEndpoints } from './requests.ts';

/** What changes about connections that are let through. */
export type ConnectionDifference = {
  what: 'inspect' | 'sni' | 'inject';
  before: string;
  after: string;
  /** Whether a run may do more than before. */
  loosens: boolean;
  witness: Endpoint;
};

/** For each change that some connection meets, the first such connection; new ones are held against the usual terms. Verdicts are compared elsewhere. */
export function compareConnections(before: PolicyImage, after: PolicyImage): ConnectionDifference[] {
  const found = new Map<string, ConnectionDifference>();
  for (const witness of representativeEndpoints([before, after])) {
    if (!isLetThrough(after, witness)) continue;
    const one = isLetThrough(before, witness) ? accountOf(before, witness) : usualAccount(witness);
    const other = accountOf(after, witness);
    for (const what of ['inspect', 'sni', 'inject'] as const) {
      const key = `${what} ${one[what]} ${other[what]}`;
      if (one[what] === other[what] || found.has(key)) continue;
      const loosens = LOOSENS[what](one[what], other[what]);
      found.set(key, { what, before: one[what], after: other[what], loosens, witness });
    }
  }
  return [...found.values()];
}

function isLetThrough(image: PolicyImage, endpoint: Endpoint): boolean {
  const { effect } = decideHost(image, endpoint);
  return effect === 'allow' || effect === 'ask' || mayInspect(image, endpoint);
}

type Account = Record<ConnectionDifference['what'], string>;

const usualAccount = ({ port }: Endpoint): Account => ({ inspect: 'no', sni: usualTerms(port).sni, inject: 'nothing' });

function accountOf(image: PolicyImage, endpoint: Endpoint): Account {
  const { inspect, sni } = egressTermsFor(image, endpoint);
  const injections = inspect
    ? rulesForSome(image, endpoint).flatMap((rule) => image.rules[rule]!.terms.injections)
    : [];
  const injected = injections.map(({ header, value, secret }) => `${header}: ${value} (secret of ${secret})`);
  return { inspect: inspect ? 'yes' : 'no', sni, inject: [...new Set(injected)].sort().join(', ') || 'nothing' };
}

const LOOSENS: Readonly<Record<ConnectionDifference['what'], (before: string, after: string) => boolean>> = {
  inspect: (_before, after) => after === 'no',
  sni: (before, after) => SNI[after as keyof typeof SNI] < SNI[before as keyof typeof SNI],
  inject: (_before, after) => after !== 'nothing',
};
