import { type ConnectionTerms, NO_TERMS, saysNothing } from './connection-terms.ts';
import { HOST_KIND, type HostEntry, isWide } from './destination.ts';
import { PatternProblem } from './pattern-problem.ts';
import { type PolicySource, tightensOnly } from './source.ts';

/** What a rule of this file may say of connections: what came with a project neither has them opened nor lends secrets. */
export function allowedTerms(
  terms: ConnectionTerms,
  source: PolicySource,
  warn: (text: string) => void,
): ConnectionTerms {
  if (saysNothing(terms) || !tightensOnly(source)) return terms;
  warn('inspect, sni and inject of a project file have no effect, because it can only tighten');
  return NO_TERMS;
}

/**
 * Secrets are for hosts that a rule names.
 * @throws PatternProblem
 */
export function refuseWideInjection(
  host: HostEntry,
  { injections }: ConnectionTerms,
  warn: (text: string) => void,
): void {
  if (injections.length === 0) return;
  if (isWide(host))
    throw new PatternProblem('a secret is not injected for everybody', 0, 'name the hosts that may have it');
  if (host.kind === HOST_KIND.suffix)
    warn(`every host beneath ${host.host} gets the secret that is injected; name the hosts that may have it`);
}
