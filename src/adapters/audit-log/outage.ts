import type { AuditFields } from '../../core/audit/record.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';

export type OnFailure = 'halt' | 'degrade';

/** While a log cannot be written: since when and why, and what was let go on meanwhile without a receipt. */
export class Outage {
  readonly since: string;
  /** The errno's name; `other` where there is none. */
  readonly kind: string;
  attempts = 1;
  readonly #mode: OnFailure;
  readonly #directory: string;
  #cause: unknown;
  #lost = new Map<string, Lost>();

  constructor(cause: unknown, at: { since: string; directory: string; mode: OnFailure }) {
    this.since = at.since;
    this.kind = errnoName(cause);
    this.#mode = at.mode;
    this.#directory = at.directory;
    this.#cause = cause;
  }

  get error(): GatekeeperError {
    const what = `the audit log cannot be written: ${messageOf(this.#cause)}`;
    const remedy = `${remedyFor(errnoName(this.#cause), this.#directory)}; it goes on by itself within a second`;
    return new GatekeeperError('GK_AUDIT_WRITE', { what, where: this.#directory, remedy, cause: this.#cause });
  }

  /** How many receipts there are not. */
  get unrecorded(): number {
    return [...this.#lost.values()].reduce((sum, { count }) => sum + count, 0);
  }

  /** Another attempt failed, perhaps for another reason. */
  again(cause: unknown): void {
    this.attempts += 1;
    this.#cause = cause;
  }

  lose(records: readonly AuditFields[]): void {
    for (const { run, agent, verdict, action, time, until = time, count = 1 } of records) {
      const key = JSON.stringify([run, verdict]);
      const lost = this.#lost.get(key) ?? { run, agent, verdict, since: time, until, count: 0, actions: new Map() };
      this.#lost.set(key, lost);
      lost.count += count;
      lost.until = until;
      lost.actions.set(action, (lost.actions.get(action) ?? 0) + count);
    }
  }

  /** The gaps were told. */
  forgetLost(): void {
    this.#lost = new Map();
  }

  halted(): AuditFields {
    return {
      action: 'halt',
      time: this.since,
      kind: this.kind,
      reason: this.#mode,
      text: `${MEANING[this.#mode]}: ${messageOf(this.#cause)}`,
    };
  }

  resumed(time: string, done: string | undefined): AuditFields {
    const since = `the log could not be written since ${this.since}`;
    return {
      action: 'resume',
      time,
      kind: this.kind,
      reason: this.#mode,
      durationMs: Math.max(0, Date.parse(time) - Date.parse(this.since)),
      count: this.attempts,
      text: done === undefined ? since : `${since}; ${done}`,
    };
  }

  /** What has no receipt, run by run and verdict by verdict. */
  gaps(): AuditFields[] {
    return [...this.#lost.values()].map(({ run, agent, verdict, since, until, count, actions }) => {
      const what = [...actions].map(([action, times]) => `${action} ${times}`).join(', ');
      const text = `not recorded, ${verdict === undefined ? 'without a verdict' : `verdict ${verdict}`}: ${what}`;
      return { action: 'gap', kind: 'degraded', time: since, until, run, agent, count, text };
    });
  }
}

/**
 * What to record when a log is opened whose last daemon ended while it could not write: nobody knows any more what that one had counted.
 * @param records the end of the log
 */
export function unfinishedOutage(records: readonly AuditFields[], time: string): AuditFields[] {
  const last = records.findLast(({ action }) => action === 'halt' || action === 'resume');
  if (last?.action !== 'halt') return [];
  const { kind, reason } = last;
  const text = `the daemon ended while it could not write the log, since ${last.time}`;
  const resume: AuditFields = { action: 'resume', time, kind, reason, text };
  if (reason !== 'degrade') return [resume];
  return [resume, { action: 'gap', kind: 'degraded', time, text: `${text}: how much is missing is not known` }];
}

type Lost = Pick<AuditFields, 'run' | 'agent' | 'verdict'> & {
  since: string;
  until: string;
  count: number;
  actions: Map<string, number>;
};

const messageOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause));

function errnoName(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : 'other';
}

function remedyFor(kind: string, directory: string): string {
  return REMEDIES[kind]?.replace('DIR', directory) ?? `see what is wrong with ${directory}`;
}

const MEANING = {
  halt: 'nothing that needs a receipt is allowed any more',
  degrade: 'runs go on, and what has no receipt is counted',
} as const;

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'make room on the file system of DIR',
  EDQUOT: 'make room in your disk quota, on the file system of DIR',
  EFBIG: "raise the daemon's limit on the size of files (prlimit --fsize)",
  EROFS: 'make the file system of DIR writable: mount -o remount,rw',
  EPERM: 'make what is in DIR changeable: lsattr, chattr -ia',
  EACCES: 'make DIR writable for its user: chmod u+rwx',
  EIO: 'the disk beneath DIR fails: see dmesg',
};
