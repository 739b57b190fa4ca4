import type { ActionName } from '../wire/messages.ts';
import type { TimedGrant } from './grant-layer.ts';

/** How long a grant holds. Durations count from boot, so no change of the wall clock moves their end, and no later boot knows them. */
export type GrantScope =
  | { run: string }
  /** Milliseconds of CLOCK_BOOTTIME, in the boot with this identifier. */
  | { until: number; boot: string }
  | { always: true };

/** A person's standing answer to rules that ask. */
export type Grant = {
  id: string;
  action: ActionName;
  /** In the policy's dialect. */
  pattern: string;
  scope: GrantScope;
  /** When it was made, ISO 8601, and by which user: for people. */
  at: string;
  by: number;
};

/** `boot` is undefined where the boot cannot be told from others. */
export type BootMoment = { boot: string | undefined; ms: number };

/** Whether it holds at that moment for that run; for no run in particular when none is named. */
export function isInForce({ scope }: Grant, now: BootMoment, run?: string): boolean {
  if ('run' in scope) return run !== undefined && scope.run === run;
  return 'always' in scope || !hasEnded(scope, now);
}

/** Whether it holds for nobody any more. Of one for a run only the run's end would say. */
export const isOver = ({ scope }: Grant, now: BootMoment): boolean => 'until' in scope && hasEnded(scope, now);

/** As the image takes it: whole seconds, the last of them begun. */
export function timed({ id, action, pattern, scope }: Grant): TimedGrant {
  return { id, action, pattern, until: 'until' in scope ? Math.ceil(scope.until / 1000) : 0 };
}

const hasEnded = (scope: { until: number; boot: string }, { boot, ms }: BootMoment): boolean =>
  scope.boot !== boot || ms >= scope.until;
