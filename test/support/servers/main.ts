import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { serveDns, type Zone } from './dns.ts';
import { makeRepository } from './git.ts';
import { makePackages } from './packages.ts';
import { answerUpgrade, answerWeb } from './web.ts';

/** What the world serves. Other servers lie behind ports of it, so that every connection is seen. */
export type WorldPlan = {
  directory: string;
  key: string;
  certificate: string;
  nameserver: string;
  zone: Zone;
  /** Port of the world → path of a Unix socket, or a program that serves one connection on its standard streams. */
  behind: Readonly<Record<number, string | readonly string[]>>;
};

/** What arrived, one a line in `<directory>/seen`. */
export type Seen =
  | { kind: 'question'; name: string; type: number; transport: string }
  | { kind: 'connection'; to: string; port: number };

const plan = JSON.parse(process.argv[2] ?? '{}') as WorldPlan;
const note = (seen: Seen) => appendFileSync(join(plan.directory, 'seen'), `${JSON.stringify(seen)}\n`);
// Everything ends with the test, also when it is killed.
process.stdin.on('end', () => process.exit()).resume();
// What a client breaks off is its own affair.
process.on('uncaughtException', (error) => console.error(error));

makeRepository(plan.directory);
makePackages(plan.directory);
const web = createHttpServer((request, response) => answerWeb(plan.directory, request, response));
const secure = createHttpsServer(
  { key: readFileSync(plan.key), cert: readFileSync(plan.certificate) },
  (request, response) => answerWeb(plan.directory, request, response),
);
for (const server of [web, secure]) server.on('upgrade', answerUpgrade);
await Promise.all([
  serveDns(plan.nameserver, plan.zone, (name, type, transport) => note({ kind: 'question', name, type, transport })),
  listen(web, 80),
  listen(secure, 443),
  ...Object.entries(plan.behind).map(([port, target]) =>
    listen(
      createTcpServer({ allowHalfOpen: true }, (socket) => serveBehind(socket, target)),
      Number(port),
    ),
  ),
]);
process.stdout.write('ready\n');

function listen(server: Server, port: number): Promise<void> {
  server.on('connection', ({ localAddress = '' }: Socket) =>
    note({ kind: 'connection', to: localAddress.replace(/^::ffff:/, ''), port }),
  );
  return new Promise((done) => server.listen(port, '::', done));
}

function serveBehind(socket: Socket, target: string | readonly string[]): void {
  if (typeof target === 'string') {
    const server = connect({ path: target, allowHalfOpen: true });
    couple(socket, server);
    couple(server, socket);
    return;
  }
  const [program = '', ...argv] = target;
  const server = spawn(program, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  server.once('close', () => socket.end());
  couple(socket, server.stdin);
  couple(server.stdout, socket);
}

function couple(from: Readable, to: Writable): void {
  from.pipe(to);
  from.on('error', () => to.destroy());
  to.on('error', () => from.destroy());
}
