import { entriesBack } from '../adapters/audit-log/entries.ts';
import { ENTRY_ACTIONS, type EntryFilter, entryFilter, type VerdictWish } from '../core/audit/entry-filter.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';

/** What `audit tail` and `audit export` are asked for. */
export type EntryOptions = {
  run?: string;
  verdict?: VerdictWish[];
  denied?: boolean;
  action?: string[];
  target?: string;
  since?: string;
};

/** The entries that are meant. `last` stands for the run that was started last. Throws GK_USAGE, GK_RUN_NOT_FOUND. */
export function wantedEntries(directory: string, options: EntryOptions, now = new Date()): EntryFilter {
  const { run, verdict = [], denied = false, action: actions = [], target, since } = options;
  for (const action of actions) {
    if (!ENTRY_ACTIONS.includes(action))
      throw usage(`there is no action ${action}`, `name one of: ${ENTRY_ACTIONS.join(', ')}`);
  }
  const verdicts: VerdictWish[] = denied ? [...verdict, 'deny', 'would-deny'] : verdict;
  const wishes = { run: run === 'last' ? lastRun(directory) : run, verdicts, actions, target };
  try {
    return entryFilter({ ...wishes, since: since === undefined ? undefined : readTime(since, now) });
  } catch (error) {
    if (error instanceof RangeError) throw usage(`--target: ${error.message}`, 'name fewer at once');
    throw error;
  }
}

/** `90s`, `15m`, `2h`, `7d`: so long ago; `06:30`: today; a date, or a date and a time, of this machine's zone unless it says another. Milliseconds of the epoch. */
export function readTime(text: string, now: Date): number {
  const [, amount, unit] = /^(\d{1,9})(s|m|h|d|w)$/.exec(text) ?? [];
  if (amount !== undefined) return now.getTime() - Number(amount) * UNITS[unit as keyof typeof UNITS];
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (clock) {
    const [hours, minutes, seconds] = clock.slice(1).map((part) => Number(part ?? 0)) as [number, number, number];
    if (hours < 24 && minutes < 60 && seconds < 60) return new Date(now).setHours(hours, minutes, seconds, 0);
  }
  // A date alone is that day here; left to itself it would be read as UTC.
  const date = /^(\d{4}-\d{2}-\d{2})(?:[T ](.+))?$/.exec(text);
  const at = date ? Date.parse(`${date[1]}T${date[2] ?? '00:00'}`) : Number.NaN;
  if (Number.isNaN(at))
    throw usage(`the time is not understood: ${text}`, 'write 15m, 2h, 7d, 06:30, 2026-11-21 or 2026-11-21T06:30:00Z');
  return at;
}

function lastRun(directory: string): string {
  const created = entryFilter({ actions: ['run_create'] });
  for (const { record } of entriesBack(directory, created)) if (record.run !== undefined) return record.run;
  throw new GatekeeperError('GK_RUN_NOT_FOUND', { what: 'no run was ever started' });
}

function usage(what: string, remedy: string): GatekeeperError {
  return new GatekeeperError('GK_USAGE', { what, remedy });
}

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;
