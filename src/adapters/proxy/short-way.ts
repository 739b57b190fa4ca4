import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { formatAuthority, formatHost } from '../../core/egress/authority.ts';
import type { AbsoluteTarget } from '../../core/egress/request-target.ts';
import type { Doorway } from './doorway.ts';
import { admitExchange } from './http-exchange.ts';
import { connectionNames, HOP_BY_HOP } from './http-target.ts';
import type { RunLoad } from './limits.ts';
import type { PinnedAgent } from './pinned-agent.ts';
import { failure, malformed, type Refusal } from './refusal.ts';

/**
 * Most requests have no body and ask for a path that no two programs read differently. There is nothing in them for a framework to parse or to route, and
 * without one they cost half as much. All others go the long way, through the proxy plugin.
 */
export function goesShortWay({ method }: IncomingMessage, { path, query }: AbsoluteTarget): boolean {
  return (method === 'GET' || method === 'HEAD') && ORDINARY_PATH.test(path) && ORDINARY_QUERY.test(query);
}

/** Decides, asks the origin and passes its answer on. Never rejects: whatever goes wrong is told to the client, or ends its connection. */
export async function takeShortWay<Image>(
  doorway: Doorway<Image>,
  requests: RunLoad,
  agent: PinnedAgent,
  exchange: { target: AbsoluteTarget; started: number },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { target } = exchange;
  try {
    const admitted = await admitExchange(doorway, requests, exchange, request, response);
    if ('body' in admitted) return refuse(response, admitted);
    if (response.closed) return;
    agent.dispatch(
      {
        origin: admitted.origin,
        path: target.path + target.query,
        method: request.method as 'GET' | 'HEAD',
        headers: headersFor(request, target),
      },
      new Answer(response, failure('unreachable', formatHost(target.host), target.port, 502)),
    );
  } catch {
    refuse(response, malformed('the request failed', 500));
  }
}

/** Writes what the origin says to the client, at the pace at which the client takes it. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;
  readonly #unreachable: Refusal;
  #controller: Dispatcher.DispatchController | undefined;

  constructor(response: ServerResponse, unreachable: Refusal) {
    this.#response = response;
    this.#unreachable = unreachable;
    // Without this a run could hold any number of connections to the outside for clients that have gone.
    response.once('close', () => response.writableFinished || this.#controller?.abort(GONE));
    response.on('drain', () => this.#controller?.resume());
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#response.closed) controller.abort(GONE);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingMessage['headers'],
  ): void {
    if (status < 200) return;
    this.#response.writeHead(status, Object.fromEntries(ofTheMessage(headers)));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#response.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(): void {
    refuse(this.#response, this.#unreachable);
  }
}

/** Ends the connection instead when an answer has begun: what is missing of it must show. */
function refuse(response: ServerResponse, { status, body }: Refusal): void {
  if (response.headersSent) return void response.destroy();
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'gatekeeper-reason': body.reason,
    connection: 'close',
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

function headersFor({ headers }: IncomingMessage, target: AbsoluteTarget): string[] {
  const out = ['host', formatAuthority(target, 80)];
  for (const [name, value] of ofTheMessage(headers)) {
    if (name === 'host') continue;
    for (const one of Array.isArray(value) ? value : [value]) out.push(name, one);
  }
  return out;
}

/** All but those that belong to one connection. */
function ofTheMessage(headers: IncomingMessage['headers']): [name: string, value: string | string[]][] {
  const named = headers['connection'] === undefined ? [] : connectionNames(headers['connection']);
  const out: [string, string | string[]][] = [];
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value !== undefined && !OWN_HOP.has(name) && !named.includes(name)) out.push([name, value]);
  }
  return out;
}

const OWN_HOP: ReadonlySet<string> = new Set(HOP_BY_HOP);
/** No segment is empty or starts with a dot, and nothing is escaped, a parameter or rewritten by any parser of URLs. */
const ORDINARY_PATH = /^\/(?:[\w~!$&()*+,=:@-][\w~!$&()*+,=:@.-]*(?:\/|$))*$/;
const ORDINARY_QUERY = /^(?:\?[\w~!$&()*+,;=:@.%/?-]*)?$/;
const GONE = new Error('the client has gone');
