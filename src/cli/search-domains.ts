import { readFileSync } from 'node:fs';
import { searchDomainsIn } from '../core/egress/resolver-files.ts';

/** What resolvers of this machine append to names. */
export function searchDomains(file = '/etc/resolv.conf'): string[] {
  try {
    return searchDomainsIn(readFileSync(file, 'utf8'));
  } catch {
    return [];
  }
}
