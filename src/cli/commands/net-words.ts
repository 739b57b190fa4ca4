import { tailRecords } from '../../adapters/audit-log/read.ts';
import { suggestRules } from '../../core/analysis/net-suggest.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { auditDirectory } from '../audit-directory.ts';
import { ownHome } from '../home.ts';
import { policyHere } from '../policy-here.ts';
import { print } from '../render/print.ts';

/**
 * Destinations for completion scripts, one a line: those of rules in the user's own policy, or those that runs were lately refused for want of a rule.
 * Prints nothing rather than fail. Names of runs are among them, so a shell gets only what no shell acts on.
 */
export function netWords(which: 'own' | 'refused'): number {
  try {
    const words = which === 'own' ? ownDestinations() : refusedDestinations();
    for (const word of new Set(words)) if (HARMLESS.test(word)) print(word);
  } catch {
    // Nothing is known: there is nothing to offer.
  }
  return 0;
}

function ownDestinations(): string[] {
  const { userPolicy } = ownHome();
  const { image, layers } = policyHere({});
  return image.rules
    .filter(
      ({ action, pattern, file }) => action === 'network' && pattern !== '' && layers[file]?.source.path === userPolicy,
    )
    .map(({ pattern }) => pattern);
}

function refusedDestinations(): string[] {
  const records = tailRecords(auditDirectory(), LATELY).filter(isRefused);
  return suggestRules(records).rules.flatMap(({ destinations }) => destinations);
}

const isRefused = ({ action, verdict }: AuditRecord): boolean =>
  action === 'network' && (verdict === 'deny' || verdict === 'would-deny');

/** Receipts that are looked at, from the end of the log. */
const LATELY = 5000;
const HARMLESS = /^[A-Za-z0-9.:*/[\]-]+$/;
