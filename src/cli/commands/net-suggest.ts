import { type Attempt, suggestRules } from '../../core/analysis/net-suggest.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { formatAuthority } from '../../core/egress/authority.ts';
import { parseHost } from '../../core/egress/host-name.ts';
import { decideHost } from '../../core/engine/decide.ts';
import type { PolicyImage } from '../../core/engine/image.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { ask, canAsk } from '../ask.ts';
import { changeRules, changeText } from '../change-rules.ts';
import { ownHome } from '../home.ts';
import { knownRuns } from '../known-runs.ts';
import { partialRule } from '../partial-rule.ts';
import { policyHere } from '../policy-here.ts';
import { suggestionText } from '../render/net-suggestion.ts';
import { print, printJson } from '../render/print.ts';
import { findLoggedRun } from '../run-in-log.ts';
import { searchDomains } from '../search-domains.ts';

export type SuggestOptions = { apply?: boolean; yes?: boolean; json?: boolean };

/** Prints the least rules for what a run was refused, and writes them into the user's policy when that is asked for. */
export async function netSuggest(
  run: string | undefined,
  { apply = false, yes = false, json = false }: SuggestOptions,
): Promise<number> {
  const { id, name, records } = findLoggedRun(run, isRefused);
  const image = imageHere();
  const attempts = records.map((record) => ({ record, place: image && placeAllowed(image, record) }));
  const open = attempts.filter(({ place }) => !place).map(({ record }) => record);
  const suggestion = suggestRules(open, {
    searchDomains: searchDomains(),
    ...(image && { limitedBy: (host, port) => partialRule(image, host, port) }),
  });
  const allowedByNow = [...new Set(attempts.flatMap(({ place }) => place ?? []))].sort();
  const destinations = suggestion.rules.flatMap((rule) => rule.destinations);
  const about = { run: id, name, ...suggestion, allowedByNow };
  if (!json) {
    const policy = (await knownRuns(ownHome()).catch(() => [])).find((known) => known.id === id)?.policy;
    print(suggestionText({ ...about, policy, userPolicy: ownHome().userPolicy }));
  }
  const write = apply && destinations.length > 0 && (yes || json || (await isWanted(destinations.length)));
  const applied = write ? await changeRules('allow', destinations, undefined) : null;
  if (json) printJson({ ...about, applied });
  else if (applied) print(changeText(applied));
  return 0;
}

async function isWanted(count: number): Promise<boolean> {
  if (!canAsk()) return true;
  const question = `Allow ${count === 1 ? 'this destination' : `these ${count} destinations`}? (y/n)`;
  return /^y/i.test(await ask((put) => put(question, 'n')));
}

function isRefused({ action, verdict }: AuditRecord): boolean {
  return action === 'network' && (verdict === 'deny' || verdict === 'would-deny');
}

/** The policy as it is now; undefined while it cannot be read, which editing it would say more exactly. */
function imageHere(): PolicyImage | undefined {
  try {
    return policyHere({}).image;
  } catch (error) {
    if (error instanceof GatekeeperError) return undefined;
    throw error;
  }
}

/** The destination, when no rule allowed it then and one does now. */
function placeAllowed(image: PolicyImage, { destination, port, via, source, reason }: Attempt): string | undefined {
  if (source !== 'default' || (reason !== undefined && reason !== 'no-rule') || destination === undefined)
    return undefined;
  const host = parseHost(destination.includes(':') ? `[${destination}]` : destination);
  const wanted = via === 'dns' ? HTTPS : port;
  if (!host || wanted === undefined || wanted < 1 || wanted > 65_535) return undefined;
  const where = host.kind === 'name' ? { name: host.name } : { address: host.address };
  const { effect } = decideHost(image, { ...where, port: wanted });
  return effect === 'allow' ? formatAuthority({ host, port: wanted }) : undefined;
}

const HTTPS = 443;
