import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { formatHost } from '../../core/egress/authority.ts';
import type { AbsoluteTarget } from '../../core/egress/request-target.ts';
import { whenOver } from './answer-end.ts';
import type { Doorway } from './doorway.ts';
import { knownBy } from './egress-event.ts';
import type { Admitted } from './gate.ts';
import { askedOf } from './http-target.ts';
import type { InjectedHeader } from './injection.ts';
import type { RunLoad } from './limits.ts';
import { outcomeOf } from './outcome.ts';
import { pinnedOrigin } from './pinned-agent.ts';
import { malformed, type Refusal } from './refusal.ts';

/** A request of plain HTTP as it came. */
export type Exchange = { target: AbsoluteTarget | Refusal; started: number };

/** Decides about a request. Gives the pinned origin that it may go to, and records its end when that comes. */
export async function admitExchange<Image>(
  doorway: Doorway<Image>,
  requests: RunLoad,
  exchange: Exchange | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<{ origin: string; headers: readonly InjectedHeader[] } | Refusal> {
  const connection = doorway.attribution.of(request.socket);
  if (!connection || !exchange) return malformed('whose request this is, is not known', 407);
  const { target } = exchange;
  if ('body' in target) return target;
  const { host, port } = target;
  const destination = { host, port, via: 'http' as const, known: knownBy(host, 'http'), ...askedOf(request, target) };
  const giveBack = requests.take(connection.run);
  if (!giveBack) return doorway.refuseForResources(connection, destination);
  whenOver(response, giveBack);
  const admitted = await doorway.admit(connection, destination);
  if (!('ok' in admitted)) return admitted;
  recordEnd(exchange.started, admitted, request.socket, response);
  return { origin: pinnedOrigin(connection.run, formatHost(host), admitted), headers: admitted.headers };
}

/** Counts bytes by what the client's connection carried since the exchange before this one. */
export function recordEnd(started: number, admitted: Admitted, socket: Socket, response: ServerResponse): void {
  const record = () => {
    const before = seen.get(socket) ?? { read: 0, written: 0 };
    const now = { read: socket.bytesRead, written: socket.bytesWritten };
    seen.set(socket, now);
    const failure = failures.get(response);
    admitted.closed({
      address: admitted.addresses[0],
      bytesUp: now.read - before.read,
      bytesDown: now.written - before.written,
      durationMs: Math.round(performance.now() - started),
      result: failure ? outcomeOf(failure) : response.writableFinished ? 'ok' : undefined,
    });
  };
  // The client may have gone while this was decided.
  whenOver(response, record);
}

/** The origin did not answer, or not to the end. Nothing after the first counts. */
export function failedBy(response: ServerResponse, error: Error): void {
  if (!failures.has(response)) failures.set(response, error);
}

const failures = new WeakMap<ServerResponse, Error>();
const seen = new WeakMap<Socket, { read: number; written: number }>();
