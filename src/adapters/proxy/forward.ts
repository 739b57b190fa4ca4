import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import type { Dispatcher } from 'undici';
import { formatAuthority } from '../../core/egress/authority.ts';
import { HOP_BY_HOP } from '../../core/egress/hop-by-hop.ts';
import type { AbsoluteTarget } from '../../core/egress/request-target.ts';
import { isOver, whenOver } from './answer-end.ts';
import { failedBy } from './http-exchange.ts';
import { connectionNames, hasBody } from './http-target.ts';
import { type InjectedHeader, isReplaced } from './injection.ts';
import { ClientGone } from './outcome.ts';
import type { PinnedAgent } from './pinned-agent.ts';
import { type Refusal, statusText } from './refusal.ts';

export type Forwarded = {
  /** The pinned one. */
  origin: string;
  target: AbsoluteTarget;
  /** Left out of the Host header. */
  usualPort: number;
  injected: readonly InjectedHeader[];
  /** What to tell the client when the origin did not answer; undefined: its connection ends as the origin's did. */
  failed: (error: Error) => Refusal | undefined;
};

/** Asks the origin and passes its answer on. What goes wrong later is told to the client, or ends its connection. */
export function forward(
  agent: Pick<PinnedAgent, 'dispatch'>,
  to: Forwarded,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  agent.dispatch(
    {
      origin: to.origin,
      path: to.target.path + to.target.query,
      method: request.method as Dispatcher.HttpMethod,
      headers: headersFor(request, to),
      body: hasBody(request) ? bodyOf(request) : null,
    },
    new Answer(response, to.failed),
  );
}

/** Ends the connection instead when an answer has begun: what is missing of it must show. */
export function refuse(response: ServerResponse, refusal: Refusal): void {
  if (response.headersSent) return void response.destroy();
  const { status, body } = refusal;
  const text = JSON.stringify(body);
  response.writeHead(status, statusText(refusal), {
    'gatekeeper-reason': body.reason,
    connection: 'close',
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  if (!hasBody(response.req)) return void response.end(text);
  // Unread input would turn the close into a reset, which can overtake the answer.
  response.write(text);
  const end = () => response.end();
  const late = setTimeout(end, LINGER_MS).unref();
  response.once('close', () => clearTimeout(late));
  response.req.once('end', end).resume();
}

/** Writes what the origin says to the client, at the pace at which the client takes it. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;
  readonly #failed: Forwarded['failed'];
  #controller: Dispatcher.DispatchController | undefined;
  #hasWritten = false;

  constructor(response: ServerResponse, failed: Forwarded['failed']) {
    this.#response = response;
    this.#failed = failed;
    // Without this a run could hold any number of connections to the outside for clients that have gone.
    whenOver(response, () => response.writableFinished || this.#controller?.abort(GONE));
    response.on('drain', () => this.#controller?.resume());
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (isOver(this.#response)) controller.abort(GONE);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingMessage['headers'],
  ): void {
    if (status < 200) return;
    this.#response.writeHead(status, Object.fromEntries(ofTheMessage(headers)));
    // Streams of events may be silent for long after their headers, which most often come together with the first of the body.
    process.nextTick(() => this.#hasWritten || this.#response.writableEnded || this.#response.flushHeaders());
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#hasWritten = true;
    if (!this.#response.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    failedBy(this.#response, error);
    const refusal = this.#failed(error);
    if (refusal) refuse(this.#response, refusal);
    else this.#response.destroy();
  }
}

/** The agent destroys what it could not send to its end, and must not take the client's connection along. */
function bodyOf(request: IncomingMessage): PassThrough {
  const body = new PassThrough();
  request.pipe(body);
  request.once('error', (error) => body.destroy(error));
  request.once('close', () => request.complete || body.destroy(GONE));
  body.on('error', () => undefined);
  body.once('close', () => request.unpipe(body).resume());
  return body;
}

function headersFor({ headers }: IncomingMessage, { target, usualPort, injected }: Forwarded): string[] {
  const out = ['host', formatAuthority(target, usualPort)];
  for (const [name, value] of ofTheMessage(headers)) {
    if (name === 'host' || isReplaced(name, injected)) continue;
    for (const one of Array.isArray(value) ? value : [value]) out.push(name, one);
  }
  for (const header of injected) out.push(...header);
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
const GONE = new ClientGone();
const LINGER_MS = 1000;
