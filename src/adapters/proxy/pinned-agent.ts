import { hash } from 'node:crypto';
import type { Socket } from 'node:net';
import { Agent } from 'undici';
import { type Address, addressFromBytes } from '../../core/egress/address.ts';
import { dial } from './dial.ts';
import type { Admitted } from './gate.ts';
import { type Limits, RunLoad } from './limits.ts';

/**
 * A stand-in origin whose host spells out for whom and to which checked addresses. The agent keeps connections by origin, so what it reuses or dials
 * for a request is by construction what was decided for that request; runs and names share no connection, and no name is left that could be
 * looked up again.
 */
export function pinnedOrigin(run: string, host: string, { addresses, port }: Admitted): string {
  const owner = hash('sha256', run).slice(0, RUN_DIGITS) + hash('sha256', `${run}\0${host}`).slice(0, 32);
  const labels = addresses.slice(0, MAX_ADDRESSES).map((address) => Buffer.from(address).toString('hex'));
  return `http://${[owner, ...labels, SUFFIX].join('.')}:${port}`;
}

/** The part of a dispatcher that reply-from uses, and the one below it. */
export type PinnedAgent = { request: Agent['request']; dispatch: Agent['dispatch']; destroy(): Promise<void> };

/**
 * Key of an AbortSignal among a request's headers: the only thing that reply-from hands through to the dispatcher unseen. Without it a request
 * whose client has gone would go on, and a run could hold any number of connections to the outside.
 */
export const ABORT: unique symbol = Symbol('abort');

/**
 * `secure`: what makes a connection of its socket before anything is asked on it. `client`: whose requests these all are; when it leaves, nobody waits
 * for a connection any more.
 */
export function pinnedAgent(limits: Limits, secure?: Secure, client?: Socket): PinnedAgent {
  const agent = dialler(limits, secure, client);
  const request = (options: Parameters<Agent['request']>[0], callback: never) => {
    const headers = { ...options.headers } as Record<string, string> & { [ABORT]?: AbortSignal };
    const signal = headers[ABORT];
    delete headers[ABORT];
    return agent.request({ ...options, headers, ...(signal && { signal }) }, callback);
  };
  return {
    request: request as Agent['request'],
    dispatch: (options, handler) => agent.dispatch(options, handler),
    destroy: () => agent.destroy(),
  };
}

type Secure = (socket: Socket) => Promise<Socket>;

/** Dials the addresses that the origin spells out; any other origin fails. */
function dialler(limits: Limits, secure: Secure | undefined, client: Socket | undefined): Agent {
  const idleMs = secure ? SECURE_IDLE_MS : IDLE_MS;
  // Requests whose clients leave are given up before the connections that were begun for them.
  const begun = new RunLoad(limits.requestsPerRun);
  return new Agent({
    connect: ({ hostname, port }, callback) => {
      const addresses = spelledOut(hostname);
      if (!addresses) return callback(new Error('origin is not pinned'), null);
      const giveBack = begun.take(hostname.slice(0, RUN_DIGITS));
      if (!giveBack) return callback(new Error('the run waits for too many connections'), null);
      dial(addresses, Number(port) || 80, limits, client)
        .finally(giveBack)
        .then(({ socket }) => secure?.(socket) ?? socket)
        .then(
          (socket) => callback(null, socket),
          (error: Error) => callback(error, null),
        );
    },
    pipelining: 1,
    keepAliveTimeout: idleMs,
    keepAliveMaxTimeout: idleMs,
    headersTimeout: ANSWER_MS,
    bodyTimeout: 0, // streams of models and events pause for long
  });
}

function spelledOut(hostname: string): readonly Address[] | undefined {
  const [owner, ...labels] = hostname.split('.');
  if (!owner || labels.pop() !== SUFFIX || labels.length === 0) return undefined;
  const addresses = labels.map((label) => addressFromBytes(Buffer.from(label, 'hex')));
  return addresses.every((address) => address !== undefined) ? addresses : undefined;
}

const SUFFIX = 'pinned';
const RUN_DIGITS = 16;
/** Short, because a request on a connection that the origin is just closing fails, and it is never sent twice. */
const IDLE_MS = 1000;
/** TLS costs more to begin anew; servers keep it for 5 s and longer. */
const SECURE_IDLE_MS = 4000;
/** As many as fit into a host name. */
const MAX_ADDRESSES = 6;
const ANSWER_MS = 600_000;
