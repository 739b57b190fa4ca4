import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, copyFileSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sandbox } from '../support/sandbox.ts';
import { SERVICES } from './services.ts';

const probes = fileURLToPath(new URL('probes', import.meta.url));

/** What the techniques aim at, outside of the run: a process, a TCP service, Unix sockets; and the project they start in. */
export type Fixture = {
  /** Absolute paths of the attackers. */
  probe: string;
  nolibc: string;
  /** Lays the project anew: a secret, an ordinary file, a guarded file. */
  lay(): void;
  /** Replaces the placeholders of a row's text. */
  fill(text: string): string;
  close(): void;
};

/** Builds the attackers once (statically, so that no hook can be in them) and starts what they aim at. */
export async function openFixture(sandbox: Sandbox): Promise<Fixture> {
  const probe = compile(
    sandbox,
    'probe',
    ['-static', '-pthread'],
    PROBES.map((name) => `${name}.c`),
  );
  const nolibc = compile(
    sandbox,
    'nolibc',
    ['-static', '-nostdlib', '-ffreestanding', '-fno-stack-protector'],
    ['nolibc.c'],
  );
  const library = compile(sandbox, 'library', [], ['library.c']);
  const addon = compile(sandbox, 'addon.node', ['-shared', '-fPIC'], ['addon.c']);
  // In a place of its own: an ordinary user might not reach the checkout.
  const scripts = join(sandbox.root, 'scripts');
  cpSync(join(probes, 'scripts'), scripts, { recursive: true });
  const outsideDir = join(sandbox.root, 'outside');
  mkdirSync(outsideDir, { recursive: true });
  const socket = join(outsideDir, 'service.sock');
  const abstract = `gk-escape-${basename(sandbox.root)}`;
  const victim = spawn('sleep', ['600'], {
    stdio: 'ignore',
    // A group of its own, for what aims at groups.
    detached: true,
    ...(sandbox.user ? { uid: sandbox.user.uid, gid: sandbox.user.gid } : {}),
  });
  const listeners = startListeners(sandbox, socket, abstract);
  const tcp = await listenTcp();
  const values: Record<string, () => string> = {
    secret: () => join(sandbox.project, '.env'),
    secretDir: () => sandbox.project,
    ok: () => join(sandbox.project, 'ok.txt'),
    guarded: () => join(sandbox.project, '.vscode/tasks.json'),
    project: () => sandbox.project,
    victim: () => String(victim.pid),
    port: () => String(portOf(tcp)),
    shared: () => listeners.sharedPort(),
    socket: () => socket,
    services: () => outsideDir,
    terminal: () => listeners.terminal(),
    abstract: () => abstract,
    gatekeeper: () => sandbox.home,
    probe: () => probe,
    nolibc: () => nolibc,
    library: () => library,
    addon: () => addon,
    scripts: () => scripts,
  };
  await listeners.ready;
  return {
    probe,
    nolibc,
    lay: () => layProject(sandbox),
    fill: (text) => text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name]?.() ?? whole),
    close: () => {
      victim.kill('SIGKILL');
      listeners.child.kill('SIGKILL');
      tcp.close();
      layProject(sandbox);
    },
  };
}

function compile(sandbox: Sandbox, name: string, flags: readonly string[], sources: readonly string[]): string {
  const target = join(sandbox.root, name);
  const earlier = compiled.get(name);
  compiled.set(name, target);
  if (earlier !== undefined && existsSync(earlier)) {
    copyFileSync(earlier, target);
    return target;
  }
  execFileSync('gcc', ['-std=gnu17', '-O1', '-o', target, ...flags, ...sources.map((file) => join(probes, file))]);
  return target;
}

/** By name, where the last sandbox has it. */
const compiled = new Map<string, string>();

function layProject(sandbox: Sandbox): void {
  // Names that are no text, and paths that are too long for Node.
  execFileSync('find', [sandbox.project, '-mindepth', '1', '-delete']);
  sandbox.write('.env', 'SECRET=swordfish\n');
  sandbox.write('ok.txt', 'ordinary\n');
  sandbox.write('.vscode/tasks.json', '{"untouched": true}\n');
}

/** What Node cannot make, by Python: Unix sockets of every kind, a TCP port that may be shared, and a terminal. */
function startListeners(
  sandbox: Sandbox,
  path: string,
  abstract: string,
): { child: ChildProcess; ready: Promise<void>; sharedPort(): string; terminal(): string } {
  const script = `
import os, socket, sys, time
def service(name):
    s = socket.socket(socket.AF_UNIX); s.bind(os.path.join(os.path.dirname(sys.argv[1]), name)); s.listen(64); return s
services = [service(name) for name in sys.argv[3].split()]
p = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); p.bind(sys.argv[1] + '.packets'); p.listen(64)
master, slave = os.openpty()
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(64)
d = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); d.bind(sys.argv[1] + '.dgram')
a = socket.socket(socket.AF_UNIX); a.bind('\\0' + sys.argv[2]); a.listen(64)
t = socket.socket(); t.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1); t.bind(('127.0.0.1', 0)); t.listen(64)
print(f'{t.getsockname()[1]} {os.ttyname(slave)}', flush=True); time.sleep(3600)`;
  if (sandbox.user) chownSync(join(path, '..'), sandbox.user.uid, sandbox.user.gid);
  if (existsSync(path)) rmSync(path);
  const child = spawn('python3', ['-c', script, path, abstract, Object.keys(SERVICES).join(' ')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(sandbox.user ? { uid: sandbox.user.uid, gid: sandbox.user.gid } : {}),
  });
  let port = '';
  let terminal = '';
  const ready = new Promise<void>((done, fail) => {
    child.stdout?.once('data', (line: Buffer) => {
      [port = '', terminal = ''] = line.toString().trim().split(' ');
      done();
    });
    child.once('exit', (code) => fail(new Error(`the Unix listeners ended with ${code}`)));
  });
  return { child, ready, sharedPort: () => port, terminal: () => terminal };
}

function listenTcp(): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.0 200 OK\r\n\r\nhello\n'));
  return new Promise((done) => {
    server.listen({ port: 0, host: '::' }, () => done(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP listener');
  return address.port;
}

/** Keeps a file's content out of the probes' way: written by somebody else while the run goes on. */
export function saveAtomically(path: string, content: string): void {
  writeFileSync(`${path}.saving`, content);
  execFileSync('mv', [`${path}.saving`, path]);
}

/** Sources of the probe. */
const PROBES = [
  'probe',
  'files',
  'changes',
  'network',
  'processes',
  'races',
  'sockets',
  'connects',
  'outside',
  'terminals',
  'blinding',
  'odd',
  'calls',
  'spawns',
  'hints',
  'offered',
];
