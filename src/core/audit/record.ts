import { AUDIT_EVENT, type AuditEvent, type AuditFields } from './record-members.ts';

export type { AuditEvent, AuditFields } from './record-members.ts';

export const AUDIT_EVENTS = Object.keys(AUDIT_EVENT) as AuditEvent[];

/** Where a chain stands: the last record's number and hash (64 hex digits). */
export type ChainHead = { seq: number; hash: string };

export type AuditRecord = AuditFields & ChainHead & { prev: string; v: 1; sig?: string };

export const CHAIN_START: ChainHead = { seq: 0, hash: '0'.repeat(64) };

/** Everything carries a signature of its own but plain allows, and what became of what was allowed. */
export function needsSignature(record: { action?: unknown; verdict?: unknown }): boolean {
  return record.verdict !== 'allow' && record.action !== 'connection_closed' && record.action !== 'result';
}
