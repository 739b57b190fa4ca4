import type { LaunchTerms } from '../core/policy/launch-terms.ts';

/** What the supervisor is to hold the run to, as arguments of gk-supervise. */
export function limitArguments(limits: LaunchTerms['limits']): string[] {
  return Object.entries(OPTION_OF).flatMap(([name, option]) => {
    const value = limits[name as keyof typeof OPTION_OF];
    return value === undefined ? [] : [option, String(value)];
  });
}

const OPTION_OF = {
  processes: '--limit-processes',
  memory: '--limit-memory',
  cpuTime: '--limit-cpu-time',
  openFiles: '--limit-open-files',
} as const;
