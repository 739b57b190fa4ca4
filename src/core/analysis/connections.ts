import { egressTermsFor } from '../engine/egress-terms.ts';
import type { HostView, PolicyImage, RuleView } from '../engine/image.ts';
import { HOST_KIND } from '../policy/destination.ts';
import { RULE_FLAG } from '../policy/rule-table.ts';
import type { Finding } from './lint.ts';

/** Rules of network whose words on connections, or on requests, do not do what they look like. */
export function connectionFindings(image: PolicyImage, mine: (rule: RuleView) => boolean): Finding[] {
  return image.rules.flatMap((rule, index): Finding[] => {
    if (rule.action !== 'network' || !mine(rule)) return [];
    const hosts = image.hosts.filter((host) => host.rule === index);
    const base = { action: rule.action, rule: index, other: null, subject: null } as const;
    if (isNeverSeen(image, rule, hosts)) {
      const text = 'allows requests that cannot be seen through TLS; add inspect: true';
      return [{ ...base, kind: 'not-seen', severity: 'warning', text }];
    }
    if (rule.terms.inspect && rule.terms.sni === 'any') {
      const text = 'inspects, and lets TLS name other hosts than the one that is inspected; leave sni out';
      return [{ ...base, kind: 'inspects-any-name', severity: 'warning', text }];
    }
    return [];
  });
}

/** On the port of HTTPS alone a request is known where it is inspected, by whatever rule. */
function isNeverSeen(image: PolicyImage, { effect, flags }: RuleView, hosts: readonly HostView[]): boolean {
  const speaksOfSome = (flags & (RULE_FLAG.methods | RULE_FLAG.requestPaths)) !== 0;
  if (effect !== 'allow' || !speaksOfSome) return false;
  return hosts.every(
    (host) => host.portLow === HTTPS && host.portHigh === HTTPS && !egressTermsFor(image, exampleOf(host)).inspect,
  );
}

function exampleOf({ kind, host, address }: HostView): { port: number; name?: string; address?: Uint8Array } {
  if (kind === HOST_KIND.range) return { port: HTTPS, address };
  if (kind === HOST_KIND.name) return { port: HTTPS, name: host };
  return {
    port: HTTPS,
    name: kind === HOST_KIND.suffix ? `any.${host}` : kind === HOST_KIND.any ? 'any.example' : 'localhost',
  };
}

const HTTPS = 443;
