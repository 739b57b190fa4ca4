/**
 * `npm run bench`: the product's costs as ratios taken in one run on one machine. Each workload is run bare, over the bare
 * mechanism (floor_tool) and inside `gatekeeper run`, in turn, so that a drift of the machine's speed falls on all
 * three; the median of each is quoted. The clock runs inside, so that starting a sandbox is a figure of its own.
 *
 * Options: --rounds N (default 5), --json (without the egress), --only TEXT (workloads whose name contains it, or `egress`).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureDecisions } from './decisions.ts';
import { measureReloads } from './reloads.ts';
import { prepareWorkloads, type Workload } from './workloads.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tools = join(root, 'native-hooks/build/test');
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean' },
    only: { type: 'string', default: '' },
  },
});
const rounds = Number(options.rounds);

type Row = { name: string; unit: string; bare: number; floor: number | null; supervised: number };

const home = mkdtempSync(join(tmpdir(), 'gk-bench-'));
const env = { ...process.env, GATEKEEPER_HOME: join(home, 'gatekeeper') };
/** The preset, and one rule more: the timing tools and the compiler lie in this project. */
const policy = join(home, 'bench.yaml');
writeFileSync(
  policy,
  `version: 1\nname: bench\nextends: [default]\npolicies:\n  - action: file_read\n    rules:\n      - { path: ${JSON.stringify(`${root}**`)}, effect: allow }\n`,
);
const gatekeeper = [process.execPath, join(root, 'dist/cli/gatekeeper.cjs')];
try {
  const rows: Row[] = [];
  const workloads = prepareWorkloads(join(home, 'work'), join(root, 'node_modules/typescript/bin/tsc'));
  for (const workload of workloads.filter((w) => w.name.includes(options.only))) rows.push(compare(workload));
  if ('start: run -- true'.includes(options.only)) rows.push(compareStart());
  const decisions = options.only === '' || 'decisions'.includes(options.only) ? measureDecisions(root, home) : [];
  const reloads = 'reloads'.includes(options.only) ? await measureReloads(gatekeeper, home, env, 4 * rounds) : [];
  if (options.json) console.log(JSON.stringify({ rounds, rows, decisions, reloads }, null, 2));
  else {
    print(rows, decisions);
    if (reloads.length > 0)
      console.log(`a changed policy is in force after ${reloads.sort((a, b) => a - b).join(', ')} ms`);
    if ('egress'.includes(options.only)) {
      const egress = fileURLToPath(new URL('egress.ts', import.meta.url));
      spawnSync(process.execPath, [...process.execArgv, egress], { stdio: 'inherit' });
    }
  }
} finally {
  spawnSync(gatekeeper[0]!, [gatekeeper[1]!, 'daemon', 'stop'], { env, stdio: 'ignore' });
  rmSync(home, { recursive: true, force: true });
}

function compare(workload: Workload): Row {
  const tool = [join(tools, 'time_tool'), ...workload.args];
  const ways = { bare: tool, floor: [join(tools, 'floor_tool'), ...tool], supervised: inside(tool) };
  const samples = interleave(ways, workload.cwd, (output) => Number(output.trim().split('\n').at(-1)));
  const single = workload.args[0] === 'open';
  progress(`${workload.name} done`);
  return { name: workload.name, unit: single ? 'ns' : 'ms', ...scale(samples, single ? 1 : 1e6) };
}

/** `gatekeeper run -- true` with a warm daemon against `node -e 0`, as whole processes. */
function compareStart(): Row {
  const measured = (command: string[]): number => {
    const begin = process.hrtime.bigint();
    run(command, home);
    return Number(process.hrtime.bigint() - begin);
  };
  const node: number[] = [];
  const start: number[] = [];
  for (let round = -1; round < rounds * 2; round++) {
    const a = measured([process.execPath, '-e', '0']);
    const b = measured(inside(['true']));
    if (round < 0) continue;
    node.push(a);
    start.push(b);
  }
  return {
    name: 'start: run -- true (bare: node -e 0)',
    unit: 'ms',
    bare: median(node) / 1e6,
    floor: null,
    supervised: median(start) / 1e6,
  };
}

function inside(command: readonly string[]): string[] {
  return [...gatekeeper, 'run', '--policy', policy, '--', ...command];
}

type Samples = Record<'bare' | 'floor' | 'supervised', number[]>;

function interleave(ways: Record<keyof Samples, string[]>, cwd: string, read: (output: string) => number): Samples {
  const samples: Samples = { bare: [], floor: [], supervised: [] };
  for (let round = -1; round < rounds; round++)
    for (const way of ['bare', 'floor', 'supervised'] as const) {
      const value = read(run(ways[way], cwd));
      if (round >= 0) samples[way].push(value);
    }
  return samples;
}

function run(command: readonly string[], cwd: string): string {
  const result = spawnSync(command[0]!, command.slice(1), {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (result.status !== 0) {
    throw new Error(
      `${command.join(' ')} exited with ${result.status ?? result.signal}: ${result.stderr.slice(0, 2000)}`,
    );
  }
  return result.stdout;
}

function scale(samples: Samples, by: number): { bare: number; floor: number; supervised: number } {
  return {
    bare: median(samples.bare) / by,
    floor: median(samples.floor) / by,
    supervised: median(samples.supervised) / by,
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function print(rows: readonly Row[], decisions: ReturnType<typeof measureDecisions>): void {
  console.log(`median of ${rounds} interleaved rounds\n`);
  console.log(
    `${'workload'.padEnd(38)}${cells(['bare', 'floor', 'inside', '', 'floor/bare', 'inside/bare', 'inside/floor'])}`,
  );
  for (const { name, unit, bare, floor, supervised } of rows) {
    const digits = unit === 'ns' ? 0 : 1;
    const ratio = (a: number | null, b: number | null): string => (a === null || b === null ? '-' : (a / b).toFixed(2));
    const figures = [bare.toFixed(digits), floor?.toFixed(digits) ?? '-', supervised.toFixed(digits), unit];
    console.log(
      `${name.padEnd(38)}${cells([...figures, ratio(floor, bare), ratio(supervised, bare), ratio(supervised, floor)])}`,
    );
  }
  for (const { rules, compileMs, image, c, tsPerSecond } of decisions) {
    const inC = Object.entries(c).map(([name, value]) => `${name} ${value}`);
    console.log(
      `${rules} rules: compiled in ${compileMs.toFixed(0)} ms to ${image} bytes; C: ${inC.join(', ')}; TypeScript: ${tsPerSecond}/s`,
    );
  }
}

function cells(texts: readonly string[]): string {
  return texts.map((text) => text.padStart(text === '' || text === 'ns' || text === 'ms' ? 4 : 13)).join('');
}

function progress(text: string): void {
  if (process.stderr.isTTY) console.error(text);
}
