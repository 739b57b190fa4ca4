/**
 * `npm run bench`: the product's costs as ratios taken in one run on one machine. Each workload is run bare, over the bare
 * mechanism (floor_tool) and inside `gatekeeper run`: without hooks, with them, and with them where the policy lets files be hinted. The five
 * take turns, so that a drift of the machine's speed falls on all; the median of each is quoted. The clock runs inside, so that starting a sandbox is a
 * figure of its own.
 *
 * Options: --rounds N (default 5), --json (without the egress), --only TEXT (workloads whose name contains it, `egress` or `evidence`).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureDecisions } from './decisions.ts';
import { measureAppends } from './evidence.ts';
import { type LatencyFigure, measureLatency } from './evidence-latency.ts';
import { measureReloads } from './reloads.ts';
import { measureVerify } from './verify.ts';
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
/** Each round starts three runs. */
const MOST_LATENCY_ROUNDS = 3;

/** How a workload is run. `floor` is null where there is none. */
const WAYS = ['bare', 'floor', 'unhooked', 'hooked', 'hinted'] as const;
type Way = (typeof WAYS)[number];
type Row = { name: string; unit: string; medians: Partial<Record<Way, number>> };

const home = mkdtempSync(join(tmpdir(), 'gk-bench-'));
// Not in a place where programs are executed: its own files would keep hints for files off there.
const gatekeeperHome = mkdtempSync(join(homedir(), '.gk-bench-'));
const env = { ...process.env, GATEKEEPER_HOME: gatekeeperHome };
/** The presets, and one rule more: the timing tools and the compiler lie in this project. */
const policyOf = (preset: string, override: boolean): string => {
  const path = join(home, `${preset}.yaml`);
  const rule = `{ path: ${JSON.stringify(`${root}**`)}, effect: allow${override ? ', override: true' : ''} }`;
  const block = `policies:\n  - action: file_read\n    rules:\n      - ${rule}\n`;
  writeFileSync(path, `version: 1\nname: bench\nextends: [${preset}]\n${block}`);
  return path;
};
const inRun = (policy: string, ...more: string[]): string[] => [
  ...gatekeeper,
  'run',
  ...more,
  '--policy',
  policy,
  '--',
];
const gatekeeper = [process.execPath, join(root, 'dist/cli/gatekeeper.cjs')];
const before: Readonly<Record<Way, readonly string[]>> = {
  bare: [],
  floor: [join(tools, 'floor_tool')],
  unhooked: inRun(policyOf('default', false), '--no-hooks'),
  hooked: inRun(join(home, 'default.yaml')),
  hinted: inRun(policyOf('secret-free', true)),
};
try {
  const rows: Row[] = [];
  const workloads = prepareWorkloads(join(home, 'work'), join(root, 'node_modules/typescript/bin/tsc'));
  for (const workload of workloads.filter((w) => w.name.includes(options.only))) rows.push(compare(workload));
  if ('start: run -- true'.includes(options.only)) rows.push(compareStart());
  const decisions = options.only === '' || 'decisions'.includes(options.only) ? measureDecisions(root, home) : [];
  const reloads = 'reloads'.includes(options.only) ? await measureReloads(gatekeeper, home, env, 4 * rounds) : [];
  const evidence = 'evidence'.includes(options.only)
    ? {
        ...(await measureAppends()),
        verified: await measureVerify(),
        latency: measureLatency(root, Math.min(rounds, MOST_LATENCY_ROUNDS)),
      }
    : undefined;
  if (options.json) console.log(JSON.stringify({ rounds, rows, decisions, reloads, evidence }, null, 2));
  else {
    print(rows, decisions);
    if (reloads.length > 0)
      console.log(`a changed policy is in force after ${reloads.sort((a, b) => a - b).join(', ')} ms`);
    if (evidence !== undefined) printEvidence(evidence);
    if ('egress'.includes(options.only)) {
      const egress = fileURLToPath(new URL('egress.ts', import.meta.url));
      spawnSync(process.execPath, [...process.execArgv, egress], { stdio: 'inherit' });
    }
  }
} finally {
  spawnSync(gatekeeper[0]!, [gatekeeper[1]!, 'daemon', 'stop'], { env, stdio: 'ignore' });
  for (const made of [home, gatekeeperHome]) rmSync(made, { recursive: true, force: true });
}

function compare(workload: Workload): Row {
  const tool = [join(tools, 'time_tool'), ...workload.args];
  const single = ['open', 'miss'].includes(workload.args[0]!);
  const medians = interleave(WAYS, single ? 1 : 1e6, (way) =>
    Number(
      run([...before[way], ...tool], workload.cwd)
        .trim()
        .split('\n')
        .at(-1),
    ),
  );
  progress(`${workload.name} done`);
  return { name: workload.name, unit: single ? 'ns' : 'ms', medians };
}

/** `gatekeeper run -- true` with a warm daemon against `node -e 0`, as whole processes. */
function compareStart(): Row {
  const medians = interleave(['bare', 'unhooked', 'hooked', 'hinted'], 1e6, (way) => {
    const begin = process.hrtime.bigint();
    run(way === 'bare' ? [process.execPath, '-e', '0'] : [...before[way], 'true'], home);
    return Number(process.hrtime.bigint() - begin);
  });
  return { name: 'start: run -- true (bare: node -e 0)', unit: 'ms', medians };
}

/** The first round warms up. */
function interleave(ways: readonly Way[], unit: number, measure: (way: Way) => number): Row['medians'] {
  const samples = new Map<Way, number[]>(ways.map((way) => [way, []]));
  for (let round = -1; round < rounds; round++)
    for (const way of ways) {
      const value = measure(way);
      if (round >= 0) samples.get(way)!.push(value);
    }
  return Object.fromEntries([...samples].map(([way, values]) => [way, median(values) / unit]));
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

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function print(rows: readonly Row[], decisions: ReturnType<typeof measureDecisions>): void {
  console.log(`median of ${rounds} interleaved rounds\n`);
  const ratios = [...WAYS.slice(1).map((way) => `${way}/bare`), 'unhooked/floor'];
  console.log(`${'workload'.padEnd(38)}${cells(['bare', '', ...ratios])}`);
  for (const { name, unit, medians } of rows) {
    const { bare = Number.NaN, floor = Number.NaN, unhooked = Number.NaN } = medians;
    const ratio = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(2));
    const shown = WAYS.slice(1).map((way) => ratio((medians[way] ?? Number.NaN) / bare));
    console.log(
      `${name.padEnd(38)}${cells([bare.toFixed(unit === 'ns' ? 0 : 1), unit, ...shown, ratio(unhooked / floor)])}`,
    );
  }
  for (const { rules, compileMs, image, c, tsPerSecond } of decisions) {
    const inC = Object.entries(c).map(([name, value]) => `${name} ${value}`);
    console.log(
      `${rules} rules: compiled in ${compileMs.toFixed(0)} ms to ${image} bytes; C: ${inC.join(', ')}; TypeScript: ${tsPerSecond}/s`,
    );
  }
}

type Evidence = Awaited<ReturnType<typeof measureAppends>> & {
  verified: Awaited<ReturnType<typeof measureVerify>>;
  latency: LatencyFigure[];
};

function printEvidence({ appends, bytesPerEntry, verified, latency }: Evidence): void {
  for (const { what, batch, perSecond } of appends)
    console.log(`audit log, ${what}, ${batch} at a time: ${perSecond} appends/s`);
  console.log(`audit log: ${bytesPerEntry} bytes an entry`);
  for (const { what, entries, threads, perSecond } of verified)
    console.log(`audit verify, ${what}, ${entries} entries, ${threads}: ${perSecond} entries/s`);
  for (const { what, ns, added, ratio } of latency)
    console.log(`${what}: ${ns.toFixed(0)} ns, ${added.toFixed(0)} more, ${ratio.toFixed(2)} times the first one`);
}

function cells(texts: readonly string[]): string {
  return texts.map((text) => text.padStart(text === '' || text === 'ns' || text === 'ms' ? 4 : 15)).join('');
}

function progress(text: string): void {
  if (process.stderr.isTTY) console.error(text);
}
