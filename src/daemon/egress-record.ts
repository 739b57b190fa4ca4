import type { EgressEvent } from '../adapters/proxy/egress-event.ts';
import type { AuditFields } from '../core/audit/record.ts';
import { redact } from '../core/audit/redact.ts';

/** The receipt for what happened to a connection at the egress. */
export function egressRecord<Image>(
  event: EgressEvent<Image>,
  at: { time: string; agent: string; policy: string | undefined; enforce?: string },
  rule: (index: number) => { label: string; reason: string } | undefined,
): AuditFields {
  const common = {
    ...at,
    run: event.run,
    pid: event.pid,
    program: event.program,
    destination: event.host ?? event.address ?? undefined,
    address: event.host === null ? undefined : (event.address ?? undefined),
    port: event.port ?? undefined,
    via: event.via,
    known: event.known,
  };
  if (event.kind === 'closed') {
    const { bytesUp, bytesDown, durationMs } = event;
    return { ...common, action: 'connection_closed', bytesUp, bytesDown, durationMs: Math.round(durationMs) };
  }
  const named = event.rule === null ? undefined : rule(event.rule);
  return {
    ...common,
    action: 'network',
    verdict: event.verdict,
    source: event.source,
    rule: named?.label,
    pierced: event.pierced === null ? undefined : rule(event.pierced)?.label,
    reason: named?.reason || (event.reason ?? undefined),
    method: event.method,
    path: event.path === undefined ? undefined : redact(event.path),
  };
}
