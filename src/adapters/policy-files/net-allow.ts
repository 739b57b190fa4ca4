import { meantDestination } from '../../core/analysis/meant-destination.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { parseDestination } from '../../core/policy/destination.ts';
import { PatternProblem } from '../../core/policy/pattern-problem.ts';
import type { PolicySource } from '../../core/policy/source.ts';
import { sha256 } from './digest.ts';

/**
 * The layer of the command line: one allow rule for each `--net-allow`.
 * @throws GatekeeperError (GK_DESTINATION)
 */
export function netAllowSource(destinations: readonly string[]): PolicySource {
  for (const destination of destinations) checkDestination(destination);
  const rules = destinations.map((destination) => ({
    destination,
    effect: 'allow',
    reason: 'named on the command line',
  }));
  const text = JSON.stringify({ version: 1, name: 'command line', policies: [{ action: 'network', rules }] });
  return { name: 'command-line:--net-allow', layer: 'command-line', text, digest: sha256(text) };
}

/** @throws GatekeeperError (GK_DESTINATION) */
export function checkDestination(destination: string): void {
  try {
    parseDestination(destination);
  } catch (error) {
    if (!(error instanceof PatternProblem)) throw error;
    const meant = meantDestination(destination);
    const remedy = meant === undefined ? error.remedy : `write ${meant}`;
    throw new GatekeeperError('GK_DESTINATION', {
      what: destination.includes('://') ? 'a URL is not a destination' : error.message,
      where: destination,
      ...(remedy ? { remedy } : {}),
      cause: error,
    });
  }
}
