import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { listen } from './servers.ts';

export type OtherProxy = { name: 'tinyproxy' | 'squid'; port: number; end(): void };

/** Proxies that people have anyhow, where they are installed; undefined when not. */
export async function startOther(name: OtherProxy['name'], scratch: string): Promise<OtherProxy | undefined> {
  if (spawnSync(name, ['-v'], { stdio: 'ignore' }).error) return undefined;
  const port = await freePort();
  const directory = join(scratch, name);
  mkdirSync(directory);
  chmodSync(directory, 0o777); // started as root they become another user
  const config = join(directory, 'conf');
  const [text, args] = name === 'tinyproxy' ? tinyproxy(port, config) : squid(port, config, directory);
  writeFileSync(config, text);
  const child = spawn(name, args, { stdio: 'ignore', cwd: directory });
  for (let tries = 0; tries < 100; tries++) {
    if (await answers(port)) return { name, port, end: () => void child.kill('SIGKILL') };
    await after(50);
  }
  child.kill('SIGKILL');
  return undefined;
}

function tinyproxy(port: number, config: string): [string, string[]] {
  return [`Port ${port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 512\nAllow 127.0.0.1\n`, ['-d', '-c', config]];
}

function squid(port: number, config: string, directory: string): [string, string[]] {
  const lines = [
    `http_port 127.0.0.1:${port}`,
    'http_access allow all',
    'cache deny all',
    'access_log none',
    'pid_filename none',
    ...(process.getuid?.() === 0 ? ['cache_effective_user nobody', 'cache_effective_group nogroup'] : []),
    'shutdown_lifetime 0 seconds',
    `cache_log ${directory}/cache.log`,
    `coredump_dir ${directory}`,
  ];
  return [`${lines.join('\n')}\n`, ['-N', '-f', config]];
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
