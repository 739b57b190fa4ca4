import type { Supervisor } from '../adapters/supervisor/supervisor-server.ts';
import type { RunRecord } from './run-record.ts';

/** A run as the daemon serves it. */
export type Run = {
  record: RunRecord;
  /** The supervisor's connection, while there is one. */
  supervisor: Supervisor | undefined;
  /** The image that the supervisor is known to judge by; undefined after a restart, when nobody knows. */
  taken: string | undefined;
  /** Why the policy on disk is not in force. */
  policyError: string | undefined;
  /** Files whose change may change the policy. */
  policyFiles: readonly string[];
  /** When the first of its grants ends, in milliseconds of CLOCK_BOOTTIME. */
  grantsEndAt?: number | undefined;
  /** ENDED was received: what comes next is the last of it. */
  ending: boolean;
};

export function newRun(record: RunRecord): Run {
  return { record, supervisor: undefined, taken: undefined, policyError: undefined, policyFiles: [], ending: false };
}
