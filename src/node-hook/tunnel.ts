import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FailedRequest } from './failed-requests.ts';
import type { ProxyAddress } from './proxies.ts';

export type Destination = { host: string; port: number };
/** Keeps what an error is about for whoever asks the error for its reasons. */
export type Remember = (error: object, request: FailedRequest) => void;

/** Asks the proxy for a tunnel. What it refuses fails as a connection would that the system refuses. */
export function openTunnel(
  proxy: ProxyAddress,
  destination: Destination,
  remember: Remember,
  done: (error: Error | null, socket?: Socket) => void,
): void {
  const { host, port } = destination;
  const target = `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
  // This file is loaded while http is: what that exports is complete by now and was not then.
  const { request } = require('node:http') as typeof import('node:http');
  const asking = request({ ...proxy, method: 'CONNECT', path: target, headers: { host: target }, agent: false });
  asking.once('error', done);
  asking.once('connect', (answer: IncomingMessage, socket: Socket, head: Buffer) => {
    asking.off('error', done);
    if (answer.statusCode !== 200)
      return readRefusal(socket, head, (word) => done(failure(destination, answer, word, remember)));
    if (head.length > 0) socket.unshift(head);
    done(null, socket);
  });
  asking.end();
}

/** The body of the proxy's answer, as far as it comes. */
function readRefusal(socket: Socket, head: Buffer, done: (word: Word) => void): void {
  const parts = [head];
  let ended = false;
  const end = (): void => {
    if (ended) return;
    ended = true;
    done(wordOf(Buffer.concat(parts).toString()));
  };
  socket.setTimeout(WAIT_MS, () => socket.destroy());
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.once('error', end);
  socket.once('end', end);
  socket.once('close', end);
}

/** Errors of the shape that Node gives to connections and lookups. */
function failure({ host, port }: Destination, answer: IncomingMessage, word: Word, remember: Remember): Error {
  if (word.reason === 'unresolved') {
    return Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), {
      errno: -3008,
      code: 'ENOTFOUND',
      syscall: 'getaddrinfo',
      hostname: host,
    });
  }
  const [errno, code] = answer.statusCode === 403 ? [-13, 'EACCES'] : [-111, 'ECONNREFUSED'];
  const error = new Error(`connect ${code} ${host}:${port}`);
  const { reason, message, rule } = word;
  if (answer.statusCode === 403) remember(error, { host, port, told: { rule, reason, message } });
  return Object.assign(error, { errno, code, syscall: 'connect', address: host, port });
}

type Word = { rule: string | null; reason: string; message: string };

function wordOf(body: string): Word {
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  try {
    const { rule, reason, message } = JSON.parse(body) as Record<string, unknown>;
    return { rule: text(rule) ?? null, reason: text(reason) ?? '', message: text(message) ?? 'the proxy refuses it' };
  } catch {
    return { rule: null, reason: '', message: 'the proxy refuses it' };
  }
}

const WAIT_MS = 5000;
