/**
 * Cost of the egress path, part of `npm run bench`: tunnels against the plainest relay in Node and against other proxies where they are installed,
 * requests of plain HTTP against none and the plainest proxy. Every party is a process of its own, and the ways take turns, so that a drift of the machine's speed
 * falls on all. Of rates the best round is quoted, since other work on the machine only ever makes it slower.
 *
 * Options: --rounds N (default 3), --only TEXT (bulk, rate, latency, requests, idle, decisions), --ways A,B (of tunnels), --profile DIR (writes CPU profiles of
 * gatekeeper's process there).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { decideHost } from '../../src/core/engine/decide.ts';
import { type Answer, CONNECTIONS, type Measurement, type Way } from './egress/client.ts';
import { type DoorAnswer, type DoorPorts, type DoorQuestion, imageOfDestinations } from './egress/door.ts';
import { type OtherProxy, startOther } from './egress/other-proxies.ts';
import type { PlainPorts } from './egress/plainest.ts';
import type { FarPorts } from './egress/servers.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    ways: { type: 'string', default: 'direct,relay,connect,socks,transparent,tinyproxy,squid' },
    profile: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
const wanted = (part: string) => part.includes(options.only);
const MEASURES = ['bulk', 'rate', 'latency'] as const;
const IDLE_TUNNELS = 5000;
const scratch = mkdtempSync(join(tmpdir(), 'gk-bench-egress-'));
const children: ChildProcess[] = [];
const others: OtherProxy[] = [];
let theClient: ChildProcess | undefined;

try {
  const far = await started<FarPorts>('servers');
  const plain = await started<PlainPorts>('plainest');
  const door = await started<DoorPorts>('door', [scratch]);
  await started('client', [JSON.stringify(far.told)]);
  for (const name of ['tinyproxy', 'squid'] as const) {
    const other = await startOther(name, scratch);
    if (other) others.push(other);
    else console.log(`${name} is not here, or does not start: skipped`);
  }
  const ports: Partial<Record<Way, number>> = {
    ...{ direct: 0, relay: plain.told.relay, connect: door.told.proxy, socks: door.told.proxy },
    transparent: door.told.transparent,
    ...Object.fromEntries(others.map(({ name, port }) => [name, port])),
  };
  for (const way of Object.keys(ports) as Way[]) if (!options.ways.split(',').includes(way)) delete ports[way];
  if (MEASURES.some(wanted)) await tunnels(ports, door.child, plain.child, far.told);
  const web = { bare: far.told.http, plainest: plain.told.plain, proxy: door.told.proxy };
  if (wanted('requests')) await requests(web, far.told, door.child);
  if (wanted('idle')) for (const way of ['transparent', 'connect', 'socks'] as const) await idle(way, far.told);
  if (wanted('decisions')) decisions();
} finally {
  for (const { end } of others) end();
  for (const child of children) if (child.connected) child.disconnect();
  await Promise.all(children.map((child) => child.exitCode === null && once(child, 'exit')));
  rmSync(scratch, { recursive: true, force: true });
}

async function tunnels(
  ports: Partial<Record<Way, number>>,
  door: ChildProcess,
  plain: ChildProcess,
  far: FarPorts,
): Promise<void> {
  const best = new Map<string, { value: number; p95: number }>();
  const failed = new Set<Way>();
  for (let round = 0; round < rounds; round++) {
    for (const [way, port] of Object.entries(ports) as [Way, number][]) {
      for (const what of MEASURES) {
        if (failed.has(way) || !wanted(what)) continue;
        await ask(door, announce(way, what === 'bulk' ? far.bulk : far.short));
        const own = way === 'relay' ? plain : port === ports.connect || way === 'transparent' ? door : undefined;
        const before = own && (await ask<DoorAnswer>(own, {})).cpu;
        const answer = await ask<Answer>(client(), { what, way, port } satisfies Measurement);
        const cpu = own && (await ask<DoorAnswer>(own, {})).cpu - (before ?? 0);
        if ('failed' in answer) failed.add(way);
        else keepBest(best, `${what} ${way}`, answer, what === 'latency');
        if (cpu && what === 'rate') keepBest(best, `cpu ${way}`, { value: (cpu * 1e6) / CONNECTIONS }, true);
        if (cpu && what === 'bulk') keepBest(best, `bulk cpu ${way}`, { value: cpu }, true);
      }
    }
  }
  const relay = (what: string) => best.get(`${what} relay`)?.value ?? 1;
  const direct = best.get('latency direct') ?? { value: 0, p95: 0 };
  print([
    'tunnels',
    'GB/s',
    '',
    'CPU s a GiB',
    'connections/s',
    '',
    'CPU µs each',
    'first byte ms',
    'p95',
    'added',
    'p95',
  ]);
  for (const way of Object.keys(ports) as Way[]) {
    if (failed.has(way)) {
      print([way, 'does not answer: skipped']);
      continue;
    }
    const of = (what: string) => best.get(`${what} ${way}`) ?? { value: 0, p95: 0 };
    const [bulk, rate, latency] = [of('bulk'), of('rate'), of('latency')] as const;
    const added = [latency.value - direct.value, latency.p95 - direct.p95];
    print([
      ...[way, bulk.value.toFixed(2), times(bulk.value, relay('bulk')), of('bulk cpu').value.toFixed(2)],
      ...[rate.value.toFixed(0), times(rate.value, relay('rate')), of('cpu').value.toFixed(0)],
      ...[latency.value, latency.p95, ...added].map((ms) => ms.toFixed(2)),
    ]);
  }
}

async function requests(ports: Record<string, number>, far: FarPorts, door: ChildProcess): Promise<void> {
  const best = new Map<string, { value: number; p95: number }>();
  await ask(door, announce('connect', far.http));
  // More rounds, since the first only warm the compiler.
  for (let round = 0; round < 3 * rounds; round++) {
    for (const keepAlive of [false, true]) {
      for (const [name, port] of Object.entries(ports)) {
        const asked: Measurement = { what: 'requests', port, far: far.http, keepAlive };
        const answer = await ask<Answer>(client(), asked);
        if ('failed' in answer) throw new Error(answer.failed);
        keepBest(best, `${name} ${keepAlive}`, answer, true);
      }
    }
  }
  print(['1000 requests', 'ms each new', '', 'ms kept alive', '']);
  for (const name of Object.keys(ports)) {
    const cells = [false, true].flatMap((keepAlive) => {
      const ms = best.get(`${name} ${keepAlive}`)?.value ?? 0;
      return [ms.toFixed(0), times(ms, best.get(`bare ${keepAlive}`)?.value ?? 1)];
    });
    print([name, ...cells]);
  }
}

/** Memory of the daemon for each tunnel that has carried a byte each way and is quiet now. */
async function idle(way: Way, far: FarPorts): Promise<void> {
  const own = mkdtempSync(join(scratch, 'idle-'));
  const { child, told } = await started<DoorPorts>('door', [own]);
  await ask(child, announce(way, far.short));
  const port = way === 'transparent' ? told.transparent : told.proxy;
  // The first tunnels compile and fill what all share.
  await ask(client(), { what: 'hold', way, port, count: 200 } satisfies Measurement);
  await ask(client(), { what: 'let go' } satisfies Measurement);
  const before = await ask<DoorAnswer>(child, { memory: true });
  const answer = await ask<Answer>(client(), { what: 'hold', way, port, count: IDLE_TUNNELS } satisfies Measurement);
  const { rss } = await ask<DoorAnswer>(child, { memory: true });
  await ask(client(), { what: 'let go' } satisfies Measurement);
  const after = await ask<DoorAnswer>(child, { memory: true });
  const kib = (bytes: number) => (bytes / 1024).toFixed(1);
  if ('failed' in answer) print([`idle, ${way}`, `not held: ${answer.failed}`]);
  else
    print([
      `${answer.value} idle, ${way}`,
      `${kib((rss - before.rss) / answer.value)} KiB each, ${kib((after.rss - before.rss) / 1024)} MiB stay`,
    ]);
  child.disconnect();
}

function decisions(): void {
  for (const count of [10, 1000, 10_000]) {
    const image = imageOfDestinations(count);
    const names = Array.from({ length: 1000 }, (_, at) => `host-${at}.service-${at % 50}.example`);
    let done = 0;
    const began = performance.now();
    while (performance.now() - began < 500) {
      const name = names[done++ % names.length] ?? '';
      decideHost(image, { name, port: 443 });
    }
    const micros = ((performance.now() - began) * 1000) / done;
    print([`${count} destinations`, `${micros.toFixed(1)} µs a decision`]);
  }
}

async function started<Told>(name: string, args: string[] = []): Promise<{ child: ChildProcess; told: Told }> {
  const profiled = options.profile && name === 'door' ? ['--cpu-prof', `--cpu-prof-dir=${options.profile}`] : [];
  const child = fork(fileURLToPath(new URL(`egress/${name}.ts`, import.meta.url)), args, {
    execArgv: [...process.execArgv, '--expose-gc', ...profiled],
  });
  children.push(child);
  const [told] = (await once(child, 'message')) as [Told];
  if (name === 'client') theClient = child;
  return { child, told };
}

function client(): ChildProcess {
  if (!theClient) throw new Error('no client');
  return theClient;
}

async function ask<Told>(child: ChildProcess, question: Measurement | DoorQuestion): Promise<Told> {
  const answered = once(child, 'message');
  child.send(question);
  return ((await answered) as [Told])[0];
}

function announce(way: Way, port: number): DoorQuestion {
  return { kind: way === 'transparent' ? 'transparent' : 'proxy', port };
}

function keepBest(best: Map<string, { value: number; p95: number }>, key: string, fresh: Answer, least: boolean): void {
  if ('failed' in fresh) return;
  const known = best.get(key);
  const better = !known || (least ? fresh.value < known.value : fresh.value > known.value);
  if (better) best.set(key, { value: fresh.value, p95: fresh.p95 ?? 0 });
}

function times(value: number, base: number): string {
  return `${(value / base).toFixed(2)}x`;
}

function print(cells: readonly string[]): void {
  const [first = '', ...rest] = cells;
  console.log(`${first.padEnd(24)}${rest.map((cell) => cell.padStart(14)).join('')}`);
}
