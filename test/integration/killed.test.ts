import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { readRecords } from '../../src/adapters/audit-log/read.ts';
import type { AuditRecord } from '../../src/core/audit/record.ts';
import type { RunRecord } from '../../src/daemon/run-record.ts';
import { DaemonProcess } from '../support/daemon-process.ts';

/**
 * Whatever is killed at whatever moment: a verdict that a program has got is in the log, once, and the log is sound. Runs try names as fast as a busy machine
 * lets them, each name once, and say what they got after they got it; supervisors and the daemon are killed meanwhile, alone, one soon after the other, and
 * while the daemon starts.
 */
const MOMENTS = Number(process.env['GATEKEEPER_DEATHS'] ?? 200);
const RUNS = 27;
/** Killed between two starts of the daemon, which is killed as well. The others go on with the next daemon. */
const VICTIMS = 24;
const LOAD = fileURLToPath(new URL('../support/killed-load.pl', import.meta.url));

const daemon = new DaemonProcess();
const project = join(daemon.home, 'project');
const seed = Number(process.env['GATEKEEPER_SEED'] ?? randomInt(2 ** 31));
const random = pseudoRandom(seed);
const runs: Run[] = [];
afterAll(async () => {
  for (const run of runs) run.kill();
  await daemon.end('SIGKILL');
});

test(`${MOMENTS} deaths under load lose no verdict that was released (seed ${seed})`, async () => {
  mkdirSync(project);
  writeFileSync(join(daemon.home, 'policy.yaml'), POLICY);
  await daemon.start();
  let killed = 0;
  for (; killed < MOMENTS; killed += VICTIMS + 1) {
    const going = await atWork();
    const victims = shuffled(going).slice(0, VICTIMS);
    const daemonAt = Math.floor(random() * (VICTIMS + 1));
    let starting: Promise<unknown> | undefined;
    for (const [at, victim] of victims.entries()) {
      if (at === daemonAt) starting = restart();
      await sleep(random() * 15);
      victim.kill();
    }
    await (starting ?? restart());
  }
  for (const run of runs) run.kill();
  await Promise.all(runs.map(({ ended }) => ended));
  await eventually(() => runs.every(({ directory }) => !existsSync(directory)));
  await daemon.end('SIGTERM');
  const wrong = compare([...readRecords(daemon.layout.audit)].flat());
  expect(wrong, `${killed} deaths, ${runs.reduce((sum, { got }) => sum + got().length, 0)} verdicts`).toEqual([]);
  expect(await daemon.verify()).toMatchObject({ ok: true, problems: [], losses: [] });
}, 400_000);

/** At a moment of its own. */
async function restart(): Promise<void> {
  await sleep(random() * 15);
  await daemon.end('SIGKILL');
  await daemon.start();
}

/** As many runs as there are to be, each of which has got a verdict since it began. */
async function atWork(): Promise<Run[]> {
  for (;;) {
    const going = runs.filter(({ over }) => !over());
    if (going.length >= RUNS) return going;
    const fresh = await Promise.all(Array.from({ length: RUNS - going.length }, startRun));
    await eventually(() => fresh.every(({ over, got }) => over() || got().length > 0));
    // A machine that is too busy makes a supervisor give up before it has begun: nothing was decided then.
    runs.push(...fresh.filter(({ got }) => got().length > 0));
  }
}

/** What is in the log and should not be, and the other way round. */
function compare(records: readonly AuditRecord[]): string[] {
  const wrong: string[] = [];
  for (const { id, got } of runs) {
    const own = records.filter(({ run }) => run === id);
    const lost = own.filter(({ action }) => action === 'run_lost');
    if (lost.length !== 1) wrong.push(`${id}: the end is told ${lost.length} times`);
    if (new Set(own.flatMap(({ n }) => n ?? [])).size !== own.filter(({ n }) => n !== undefined).length)
      wrong.push(`${id}: a number occurs twice`);
    const recorded = new Map<string, number>();
    for (const { target = '', verdict, action, count = 1 } of own) {
      if (action === 'file_write') add(recorded, `${target.slice(target.lastIndexOf('/') + 1)} ${verdict}`, count);
    }
    const released = new Map<string, number>();
    for (const line of got()) add(released, line, 1);
    for (const [line, count] of released) {
      const entries = recorded.get(line) ?? 0;
      // A crash while a group of refusals is written may count some of them twice.
      const right = line === AGAIN ? entries >= count : entries === 1;
      if (!right) wrong.push(`${id}: ${line}, got ${count} times, recorded ${entries}`);
    }
    // The one whose verdict was on its way to the program, or from there to the test.
    const unheard = [...recorded.keys()].filter((line) => !released.has(line));
    if (unheard.length > 1) wrong.push(`${id}: nobody got ${unheard.join(', ')}`);
    for (const { action, text } of own)
      if (action === 'gap' || action === 'damage') wrong.push(`${id}: ${action}, ${text}`);
  }
  return wrong;
}

type Run = {
  id: string;
  directory: string;
  /** The lines of the load, whole ones. */
  got: () => string[];
  over: () => boolean;
  ended: Promise<void>;
  kill: () => void;
};

async function startRun(): Promise<Run> {
  const policy = join(daemon.home, 'policy.yaml');
  const created = await daemon.createRun({ argv: ['perl'], cwd: project, policy, hooks: false });
  const directory = created.args[created.args.indexOf('--run-dir') + 1]!;
  const names = join(project, created.id);
  mkdirSync(names);
  const child = spawn(created.supervisor, [...created.args, '--', 'perl', LOAD, names], {
    cwd: project,
    env: { PATH: process.env['PATH'], ...created.env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return follow(child, created.id, directory);
}

function follow(child: ChildProcess, id: string, directory: string): Run {
  let [out, over, killed] = ['', false, false];
  child.stdout!.on('data', (chunk) => (out += String(chunk)));
  const ended = new Promise<void>((done) => {
    child.once('close', () => {
      over = true;
      done();
    });
  });
  return {
    ...{ id, directory, ended },
    got: () => out.split('\n').slice(0, -1),
    over: () => over || killed,
    kill: () => {
      if (over || killed) return;
      killed = true;
      const { supervisor } = JSON.parse(readFileSync(`${directory}/run.json`, 'utf8')) as RunRecord;
      process.kill(supervisor!.pid, 'SIGKILL');
    },
  };
}

function add(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(10);
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

/** mulberry32: the same numbers for the same seed. */
function pseudoRandom(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const AGAIN = 'denied-again deny';
const POLICY = `version: 1
name: killed
policies:
  - action: file_read
    defaultEffect: allow
  - action: shell_exec
    defaultEffect: allow
  - action: file_write
    rules:
      - { path: "./*/logged-*", effect: allow, log: true }
`;
