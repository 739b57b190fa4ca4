import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { readRecords } from '../../src/adapters/audit-log/read.ts';
import { bare, type Outcome, plainEnvironment } from './bare.ts';
import { type Machines, openMachines } from './namespace.ts';
import { GATEKEEPER, openSandbox, type Sandbox } from './sandbox.ts';
import { type Authority, makeAuthority, SYSTEM_BUNDLE } from './servers/authority.ts';
import type { Zone } from './servers/dns.ts';
import type { Seen, WorldPlan } from './servers/main.ts';

/** A machine on which gatekeeper runs, with a world around it that holds servers: nothing that either does leaves the two. */
export type World = {
  /** On the machine: its command line, daemon and runs. */
  sandbox: Sandbox;
  authority: Authority;
  /** Where the servers keep what is theirs; reached by no run. */
  directory: string;
  /** Variables by which programs trust the world's authority. */
  trust: Record<string, string>;
  /** A command on the machine, without gatekeeper. */
  outside(argv: readonly string[], options?: { cwd?: string; env?: Record<string, string> }): Promise<Outcome>;
  /** Starts a server in the world and waits for words of it, which are returned. It ends with the world. */
  serve(argv: readonly string[], ready: RegExp): Promise<string>;
  /** The same on the machine, out of any run. */
  serveHere(argv: readonly string[], ready: RegExp): Promise<string>;
  /** Records of a run as they are by now. That a connection was closed may come after the end of its run. */
  records(run: string): Record<string, unknown>[];
  /** What has arrived in the world so far. */
  seen(): Seen[];
};

export type WorldOptions = {
  zone: Zone;
  /** Where the world's servers are. */
  addresses: readonly string[];
  /** Names of the machine's own file of hosts. */
  hosts?: string;
  behind?(world: Pick<World, 'directory' | 'serve'>): WorldPlan['behind'];
};

export const NAMESERVER = '93.184.216.53';

/** A world for the tests of this file. */
export function useWorld(options: WorldOptions): World {
  const world = {} as World;
  let close: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    close = await open(world, options);
  });
  afterAll(() => close?.());
  return world;
}

async function open(world: World, { zone, addresses, hosts = '', behind }: WorldOptions): Promise<() => Promise<void>> {
  const plain = openSandbox();
  const directory = join(plain.root, 'world');
  mkdirSync(directory);
  // Servers that refuse to be root's have to come through here.
  chmodSync(plain.root, 0o755);
  const authority = makeAuthority(directory, Object.keys(zone));
  const machines = await openMachines({
    directory,
    addresses: [NAMESERVER, ...addresses],
    files: {
      '/etc/resolv.conf': `nameserver ${NAMESERVER}\n`,
      '/etc/hosts': `127.0.0.1 localhost\n::1 localhost\n${hosts}`,
      '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n',
      [SYSTEM_BUNDLE]: readFileSync(authority.bundle, 'utf8'),
    },
  });
  const servers: ChildProcess[] = [];
  const serveAt = (at: Machines['world']) => async (argv: readonly string[], ready: RegExp) => {
    const { child, words } = await started(at(directory, argv), ready);
    servers.push(child);
    return words;
  };
  const serve = serveAt(machines.world);
  Object.assign(world, {
    sandbox: onMachine(plain, machines),
    authority,
    directory,
    trust: trustIn(authority),
    serve,
    serveHere: serveAt(machines.machine),
    outside: (argv, { cwd = plain.project, env } = {}) => bare(machines.machine(cwd, argv), { cwd, env }),
    records: (run) =>
      [...readRecords(plain.layout.audit)]
        .flat()
        .filter((record) => record.run === run)
        .map((record) => ({ ...record })),
    seen: () => readSeen(directory),
  } satisfies World);
  const plan: WorldPlan = {
    ...{ directory, nameserver: NAMESERVER, zone, behind: behind?.(world) ?? {} },
    ...{ key: authority.key, certificate: authority.certificate },
  };
  await serve([process.execPath, '--import', TYPESCRIPT, SERVERS, JSON.stringify(plan)], /^ready$/m);
  return async () => {
    await Promise.all(servers.map(end));
    await plain.close();
    machines.close();
  };
}

function onMachine(sandbox: Sandbox, machines: Machines): Sandbox {
  const { project, env } = sandbox;
  return {
    ...sandbox,
    gatekeeper: (args, { cwd = project, ...options } = {}) =>
      bare(machines.machine(cwd, [process.execPath, GATEKEEPER, ...args]), {
        ...options,
        cwd,
        env: { ...env, ...options.env },
      }),
  };
}

/** Resolves when it has said the words on either of its streams. */
function started([program = '', ...argv]: string[], ready: RegExp): Promise<{ child: ChildProcess; words: string }> {
  const child = spawn(program, argv, { stdio: ['pipe', 'pipe', 'pipe'], env: plainEnvironment() });
  return new Promise((done, fail) => {
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        said += String(chunk);
        const [words] = ready.exec(said) ?? [];
        if (words !== undefined) done({ child, words });
      });
    child.once('error', fail);
    child.once('exit', () => fail(new Error(`${argv.join(' ')} ended: ${said}`)));
  });
}

/** At once, but not so that a server could leave anything behind; a database keeps a segment of shared memory. */
async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = once(server, 'exit');
  server.kill('SIGINT');
  const timer = setTimeout(() => server.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(timer);
}

function trustIn({ ca, bundle }: Authority): Record<string, string> {
  return {
    ...{ NODE_EXTRA_CA_CERTS: ca, npm_config_cafile: ca },
    ...{ SSL_CERT_FILE: bundle, CURL_CA_BUNDLE: bundle, GIT_SSL_CAINFO: bundle, PIP_CERT: bundle },
  };
}

function readSeen(directory: string): Seen[] {
  const path = join(directory, 'seen');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Seen);
}

const SERVERS = fileURLToPath(new URL('servers/main.ts', import.meta.url));
const TYPESCRIPT = new URL('load-typescript.mjs', import.meta.url).href;
