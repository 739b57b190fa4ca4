import type { AuditRecord } from '../audit/record.ts';

/** What decisions depend on that receipts of the run do not repeat. */
export type RunStart = { simulate: boolean | undefined; cwd: string | undefined; netAllow: readonly string[] };

/** Learns of runs from their first entries. */
export class RunStarts {
  readonly #runs = new Map<string, RunStart>();

  take({ action, run, simulate, cwd, text }: AuditRecord): void {
    if (run === undefined) return;
    if (action === 'run_create') {
      const netAllow = text?.startsWith(NET_ALLOW) ? text.slice(NET_ALLOW.length).split(' ') : [];
      this.#runs.set(run, { simulate, cwd, netAllow });
    } else if (action === 'run_start' && !this.#runs.has(run)) {
      this.#runs.set(run, { simulate, cwd, netAllow: [] });
    }
  }

  of(run: string | undefined): RunStart {
    return this.#runs.get(run ?? '') ?? UNKNOWN;
  }
}

/** Whether a line may be of interest here, without the cost of parsing it. */
export const mayStartRun = (line: string): boolean =>
  // The first member of a line that the log wrote.
  line.startsWith(ACTION)
    ? line.startsWith('run_create"', ACTION.length) || line.startsWith('run_start"', ACTION.length)
    : /"action":"run_(?:create|start)"/.test(line);

const ACTION = '{"action":"';
const UNKNOWN: RunStart = { simulate: undefined, cwd: undefined, netAllow: [] };
const NET_ALLOW = '--net-allow ';
