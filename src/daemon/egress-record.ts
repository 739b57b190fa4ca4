import type { EgressEvent } from '../adapters/proxy/egress-event.ts';
import type { RuleSaid } from '../core/audit/journal-record.ts';
import type { AuditFields } from '../core/audit/record.ts';
import { redact } from '../core/audit/redact.ts';

/** The receipt for what happened to a connection at the egress. */
export function egressRecord<Image>(
  event: EgressEvent<Image>,
  at: { time: string; agent: string; policy: string | undefined; enforce?: string },
  rule: (index: number) => RuleSaid | undefined,
): AuditFields {
  const { host, address } = event;
  // Written out, in the order of their names: there are two for each request, and putting objects together costs more than sealing them.
  if (event.kind === 'closed') {
    return {
      action: 'connection_closed',
      address: host === null ? undefined : (address ?? undefined),
      agent: at.agent,
      bytesDown: event.bytesDown,
      bytesUp: event.bytesUp,
      destination: host ?? address ?? undefined,
      durationMs: Math.round(event.durationMs),
      enforce: at.enforce,
      known: event.known,
      pid: event.pid,
      policy: at.policy,
      port: event.port ?? undefined,
      program: event.program,
      result: event.result,
      run: event.run,
      time: at.time,
      via: event.via,
    };
  }
  const named = event.rule === null ? undefined : rule(event.rule);
  return {
    action: 'network',
    address: host === null ? undefined : (address ?? undefined),
    agent: at.agent,
    answered: named?.by?.answered,
    approver: named?.by?.approver,
    destination: host ?? address ?? undefined,
    enforce: at.enforce,
    grant: named?.by?.grant,
    known: event.known,
    method: event.method,
    overridden: event.overridden,
    own: event.own,
    path: event.path === undefined ? undefined : redact(event.path),
    pid: event.pid,
    pierced: event.pierced === null ? undefined : rule(event.pierced)?.label,
    policy: at.policy,
    port: event.port ?? undefined,
    program: event.program,
    reason: named?.reason || (event.reason ?? undefined),
    rule: named?.label,
    run: event.run,
    source: event.source,
    time: at.time,
    verdict: event.verdict,
    via: event.via,
  };
}
