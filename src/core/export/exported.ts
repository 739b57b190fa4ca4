import type { AuditRecord } from '../audit/record.ts';

/** An entry on its way to another program, and the line of the log that it stands in, without the newline. */
export type Exported = { record: AuditRecord; line: string };

/** Where entries come from. */
export type ExportOrigin = {
  /** Identifies the log: 32 hex digits. */
  log: string;
  /** Name of the machine. */
  host: string;
  /** Of gatekeeper. */
  version: string;
};

/** Which entry of which log it is, for ever: what receivers tell repetitions by. */
export const uidOf = ({ log }: ExportOrigin, { seq }: AuditRecord): string => `${log}/${seq}`;

/** How grave an entry is, in an order that each format has its numbers for. */
export type Gravity = 'plain' | 'notable' | 'refused' | 'loss';

export function gravityOf({ action, verdict }: AuditRecord): Gravity {
  if (LOSSES.has(action)) return 'loss';
  if (verdict === 'deny') return 'refused';
  return verdict === 'would-deny' || NOTABLE.has(action) ? 'notable' : 'plain';
}

/** What came of it: undefined for what is no decision. */
export function outcomeOf({ verdict, result }: AuditRecord): 'success' | 'failure' | undefined {
  if (verdict === undefined) return undefined;
  if (verdict === 'deny') return 'failure';
  return result === undefined || result === 'ok' ? 'success' : 'failure';
}

/** What is behind the last slash; the whole where nothing is. */
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1) || path;

/** Entries that tell of what the log does not have. */
const LOSSES: ReadonlySet<string> = new Set(['gap', 'damage', 'halt', 'recovered', 'run_lost']);
const NOTABLE: ReadonlySet<string> = new Set([
  'policy_change',
  'policy_error',
  'key_change',
  'pruned',
  'resume',
  'note',
]);
