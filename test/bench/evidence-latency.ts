import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Nanoseconds of one open, the median of the rounds; `ratio` to an open that is allowed without a receipt, in the same rounds. */
export type LatencyFigure = { what: string; ns: number; added: number; ratio: number };

/**
 * What receipts add to an open: files that are allowed without one, allowed with one, and refused (each refusal has its receipt, in the journal before the
 * call returns). Without hooks, so that each is one notification.
 */
export function measureLatency(root: string, rounds: number): LatencyFigure[] {
  const home = mkdtempSync(join(homedir(), '.gk-bench-'));
  const work = mkdtempSync(join(tmpdir(), 'gk-bench-'));
  const gatekeeper = [process.execPath, join(root, 'dist/cli/gatekeeper.cjs')];
  const env = { ...process.env, GATEKEEPER_HOME: home };
  try {
    const samples = new Map(CASES.map(({ what }) => [what, [] as number[]]));
    const tool = join(root, 'native-hooks/build/test/time_tool');
    writeFileSync(join(work, 'policy.yaml'), policyFor(work, root));
    for (const directory of ['plain', 'recorded', 'refused']) {
      mkdirSync(join(work, directory));
      writeFileSync(join(work, directory, 'file'), 'text');
    }
    for (let round = -1; round < rounds; round++) {
      for (const { what, verb, file } of CASES) {
        const before = [...gatekeeper, 'run', '--no-hooks', '--policy', join(work, 'policy.yaml'), '--'];
        const command = [...before, tool, verb, String(OPENS), join(work, file)];
        const { stdout, stderr, status } = spawnSync(command[0]!, command.slice(1), {
          env,
          cwd: work,
          encoding: 'utf8',
        });
        if (status !== 0) throw new Error(`${what}: ${stderr.slice(0, 1000)}`);
        if (round >= 0) samples.get(what)!.push(Number(stdout.trim().split('\n').at(-1)));
      }
    }
    const plain = median(samples.get(CASES[0].what)!);
    return CASES.map(({ what }) => {
      const ns = median(samples.get(what)!);
      return { what, ns, added: ns - plain, ratio: ns / plain };
    });
  } finally {
    spawnSync(gatekeeper[0]!, [gatekeeper[1]!, 'daemon', 'stop'], { env, stdio: 'ignore' });
    for (const made of [home, work]) rmSync(made, { recursive: true, force: true });
  }
}

const CASES = [
  { what: 'open, allowed without a receipt', verb: 'open', file: 'plain/file' },
  { what: 'open, allowed with a receipt', verb: 'open', file: 'recorded/file' },
  { what: 'open, refused', verb: 'refused', file: 'refused/file' },
] as const;

const policyFor = (work: string, root: string): string => `version: 1
name: latency
extends: [default]
policies:
  - action: file_read
    rules:
      - { path: ${JSON.stringify(`${resolve(root)}/**`)}, effect: allow }
      - { path: ${JSON.stringify(`${work}/plain/**`)}, effect: allow }
      - { path: ${JSON.stringify(`${work}/recorded/**`)}, effect: allow, log: true }
      - { path: ${JSON.stringify(`${work}/refused/**`)}, effect: deny, reason: secrets stay here }
`;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

const OPENS = 20_000;
