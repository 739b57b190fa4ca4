import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, expect, it } from 'vitest';
import { HelloReader } from '../../src/core/egress/client-hello.ts';
import { capturedHello, firstFlight } from '../support/captured-hello.ts';

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});
const run = (program: string, ...args: string[]) => {
  started.push(spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'] }));
};

const PYTHON = `
import socket, ssl, sys
context = ssl._create_unverified_context()
context.set_alpn_protocols(['h2', 'http/1.1'])
context.wrap_socket(socket.create_connection(('127.0.0.1', int(sys.argv[1]))), server_hostname='Host.Example.test')
`;
const openssl =
  (...args: string[]) =>
  (port: number) =>
    run('openssl', 's_client', '-connect', `127.0.0.1:${port}`, ...args);
const curl =
  (...args: string[]) =>
  (port: number) =>
    run(
      'curl',
      '-sk',
      '--noproxy',
      '*',
      '--resolve',
      `host.example.test:${port}:127.0.0.1`,
      ...args,
      `https://host.example.test:${port}/`,
    );

it.each<[string, (port: number) => void, string | undefined]>([
  ['openssl', openssl('-servername', 'host.example.test'), 'host.example.test'],
  ['openssl with TLS 1.2 alone', openssl('-servername', 'host.example.test', '-tls1_2'), 'host.example.test'],
  [
    'openssl with many groups',
    openssl('-servername', 'h.test', '-groups', 'X25519:P-256:P-384:P-521:ffdhe3072'),
    'h.test',
  ],
  ['openssl without a name', openssl('-noservername'), undefined],
  ['curl', curl(), 'host.example.test'],
  ['curl with TLS 1.2 alone', curl('--tls-max', '1.2'), 'host.example.test'],
  ['curl to an address', (port) => run('curl', '-sk', '--noproxy', '*', `https://127.0.0.1:${port}/`), undefined],
  ['python', (port) => run('python3', '-c', PYTHON, `${port}`), 'Host.Example.test'],
  [
    'git',
    (port) =>
      run(
        'git',
        '-c',
        'http.proxy=',
        '-c',
        `http.curloptResolve=h.test:${port}:127.0.0.1`,
        'ls-remote',
        `https://h.test:${port}/x`,
      ),
    'h.test',
  ],
])('the name in the hello of %s is read', async (_name, start, serverName) => {
  expect(new HelloReader().push(await firstFlight(start))).toEqual({ kind: 'hello', hello: { serverName } });
});

it('the name in the hello of Node is read', async () => {
  const hello = await capturedHello('node.example.test');
  expect(new HelloReader().push(hello)).toEqual({ kind: 'hello', hello: { serverName: 'node.example.test' } });
});
