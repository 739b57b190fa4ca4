import { withheldVariables } from '../../core/policy/environment.ts';
import type { LaunchTerms } from '../../core/policy/launch-terms.ts';
import { visible } from '../../core/text/visible.ts';

/** How a run started here would start, a line for each thing that its policy says: names of variables, never values. */
export function launchLines({ env, limits, caches, onTighten }: LaunchTerms, variables: readonly string[]): string[] {
  const withheld = withheldVariables(env, variables);
  const files = [...new Set(withheld.map(({ by }) => by))];
  return [
    ...files.map((file) => {
      const names = withheld.filter(({ by }) => by === file).map(({ name }) => visible(name));
      return `not in its environment: ${names.join(' ')} (${visible(file)})`;
    }),
    ...Object.entries(limits).map(([name, value]) => `limit of ${name}: ${amount(name, value)}`),
    ...Object.entries(caches).map(([tool, use]) => `cache of ${tool}: ${use}`),
    ...(onTighten === 'warn' ? ['a change that refuses what it reads by itself: warns'] : []),
  ];
}

function amount(name: string, value: number): string {
  if (name === 'memory') return `${value / 2 ** 20}MiB for each process`;
  if (name === 'cpuTime') return `${value}s for each process`;
  return name === 'openFiles' ? `${value} for each process` : `${value} together`;
}
