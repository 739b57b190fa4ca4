import type { AuditFields } from '../../core/audit/record.ts';
import type { OnFailure } from './outage.ts';
import type { LogSigner } from './seal-batch.ts';

export type AuditLogOptions = {
  directory: string;
  signer: LogSigner;
  verify: (statement: string, signature: string) => boolean;
  /** RFC 3339, UTC. */
  now: () => string;
  writeAtomic: (path: string, content: string) => void;
  /** A file that has grown to this, or is as old, is followed by another one. */
  segmentBytes?: number;
  segmentAgeMs?: number;
  /** Whether the lock of the directory is still the caller's: asked before anything is written. */
  holdsLog?: () => boolean;
  /** Hears of each checkpoint when it is on the disk. */
  checkpointed?: (note: string) => void;
  /** Hears that a file was begun, so that those before it are whole. */
  began?: () => void;
  /** What else was found before it was opened; recorded before anything else is. */
  findings?: readonly Pick<AuditFields, 'kind' | 'text' | 'count'>[];
  /** What becomes of receipts that may be lost (`AppendTerms`) while the log cannot be written. */
  onFailure?: OnFailure;
  /** Hears that the log can be written again. */
  resumed?: () => void;
  /** How long it waits between attempts while it cannot. */
  retryMs?: number;
};

export type AppendTerms = {
  /** A log that degrades counts these while it cannot be written, and the append resolves. */
  mayBeLost?: boolean;
  /** The end of a run: tried in the room that was kept for it also while nothing else is taken. */
  ending?: boolean;
};

export const DEFAULTS = {
  segmentBytes: 16 * 1024 * 1024,
  segmentAgeMs: 24 * 60 * 60 * 1000,
  holdsLog: () => true,
  checkpointed: () => {},
  began: () => {},
  findings: [],
  onFailure: 'halt',
  resumed: () => {},
  retryMs: 1000,
} as const;
