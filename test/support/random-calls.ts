import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inside, outside } from './run-inside.ts';
import type { Sandbox } from './sandbox.ts';

/** Random sequences of file system calls, as native-hooks/test/calls_tool.c makes them of a seed. */
export type Sequences = {
  first: number;
  count: number;
  /** Calls a sequence. */
  steps: number;
  /** Two sequences at a time, by threads of one process. */
  threads?: boolean;
};

/** The first place of a sequence where the two reports are not the same. */
export type Difference = { seed: number; bare: string; inside: string };

/**
 * Runs the sequences bare and under a policy that allows everything, in the same directory laid anew. Reports hold every result and
 * every tree, so equal reports mean equal behaviour. One difference a sequence: what follows the first says little.
 */
export async function compareCalls(sandbox: Sandbox, sequences: Sequences): Promise<Difference[]> {
  if (!existsSync(TOOL)) throw new Error('the native tools are not built; build them: npm run build:native');
  const { first, count, steps, threads = false } = sequences;
  const argv = [TOOL, String(first), String(count), String(steps), 'searchable', ...(threads ? ['threads'] : [])];
  clear(sandbox);
  const bare = await outside(sandbox, argv);
  clear(sandbox);
  const run = await inside(sandbox, argv, { policy: 'observe' });
  for (const { stderr, status } of [bare, run])
    if (status !== 0) throw new Error(`the tool ended with ${status}: ${stderr}`);
  return bare.stdout === run.stdout ? [] : differences(bare.stdout, run.stdout);
}

/** The command that shows one sequence. */
export const sequenceCommand = ({ seed }: Difference, { steps, threads }: Sequences): string =>
  threads ? `${TOOL} ${Math.floor(seed / 2)} 1 ${steps} searchable threads` : `${TOOL} ${seed} 1 ${steps} searchable`;

function clear(sandbox: Sandbox): void {
  for (const name of readdirSync(sandbox.project))
    rmSync(join(sandbox.project, name), { recursive: true, force: true });
}

function differences(bare: string, inside: string): Difference[] {
  const other = bySeed(inside);
  const found: Difference[] = [];
  for (const [seed, lines] of bySeed(bare)) {
    const counterpart = other.get(seed) ?? [];
    const at = lines.findIndex((line, i) => line !== counterpart[i]);
    if (at >= 0) found.push({ seed, bare: context(lines, at), inside: counterpart[at] ?? 'nothing' });
    else if (counterpart.length > lines.length)
      found.push({ seed, bare: 'nothing', inside: counterpart[lines.length]! });
  }
  return found.length > 0 ? found : [{ seed: Number.NaN, bare: 'another order', inside: 'of sequences' }];
}

/** A line of a tree belongs to the calls above it. */
function context(lines: readonly string[], at: number): string {
  const call = lines.findLastIndex((line, i) => i < at && !line.startsWith('  '));
  return lines[at]!.startsWith('  ') && call >= 0 ? `${lines[call]}\n${lines[at]}` : lines[at]!;
}

function bySeed(report: string): Map<number, string[]> {
  const sequences = new Map<number, string[]>();
  for (const part of report.split(/^== /m).slice(1)) {
    const [seed, ...lines] = part.trimEnd().split('\n');
    sequences.set(Number(seed), lines);
  }
  return sequences;
}

const TOOL = fileURLToPath(new URL('../../native-hooks/build/test/calls_tool', import.meta.url));
