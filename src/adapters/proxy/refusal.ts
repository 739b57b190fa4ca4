import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { facesOf } from '../../core/egress/address.ts';
import { classOf } from '../../core/egress/address-class.ts';
import { parseHost } from '../../core/egress/host-name.ts';
import { EGRESS_REASON, type EgressReason } from '../../core/egress/reason.ts';
import type { Refused } from './gate.ts';

/** The body of every refusal; a program reads `error` and `reason`, a human `message` and `how`. */
export type RefusalBody = {
  error: 'egress_denied' | 'egress_failed' | 'bad_request';
  host: string | null;
  port: number | null;
  reason: string;
  /** Text of the rule that spoke. */
  rule: string | null;
  message: string;
  /** What the user can type to allow it. */
  how: string | null;
};

export type Refusal = { status: number; body: RefusalBody };
/** The name under which users know a rule, such as `user:my-agent.yaml:7`, and why its author wrote it. */
export type DescribeRule<Image> = (image: Image, rule: number) => { label: string; reason: string | null } | undefined;

export function refusalOf<Image>(refused: Refused<Image>, describe: DescribeRule<Image>): Refusal {
  const { status, host, port, rule, image } = refused;
  const spoken = rule === null || image === undefined ? undefined : describe(image, rule);
  const reason = refused.reason ?? 'rule';
  const message = spoken?.reason ?? explain(refused);
  const denied = status === 403;
  return {
    status,
    body: {
      error: denied ? 'egress_denied' : 'egress_failed',
      ...{ host, port, reason, rule: spoken?.label ?? null, message },
      how: denied ? howTo(reason, refused, port) : null,
    },
  };
}

export function failure(reason: EgressReason, host: string, port: number, status: number): Refusal {
  const message = EGRESS_REASON[reason];
  return { status, body: { error: 'egress_failed', host, port, reason, rule: null, message, how: null } };
}

/** A request that cannot be read in one way only. */
export function malformed(message: string, status = 400): Refusal {
  const body = { host: null, port: null, reason: 'malformed', rule: null, message, how: null };
  return { status, body: { error: 'bad_request', ...body } };
}

/** Most programs show the status line at best and never the body, so it says what to type as well. */
export function statusText({ status, body }: Refusal): string {
  if (status !== 403) return STATUS_CODES[status] ?? 'Error';
  return `egress denied: ${body.reason}${body.how === null ? '' : `; to allow: ${body.how}`}`;
}

/** For tunnels, where no HTTP server answers. */
export function endWithRefusal(socket: Socket, refusal: Refusal): void {
  const { status, body } = refusal;
  const text = `${JSON.stringify(body)}\n`;
  const lines = [
    `HTTP/1.1 ${status} ${statusText(refusal)}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
    `gatekeeper-reason: ${body.reason}`,
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`);
  lingerAndClose(socket);
}

/** Closes a socket whose last answer is on its way: unread input would turn the close into a reset, which can overtake the answer. */
export function lingerAndClose(socket: Socket): void {
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

/** No more than was asked for: this host on this port; and nothing where clouds hand out credentials, which an agent would talk its user into. */
function howTo(reason: string, { obstacle, inspected }: Refused<unknown>, port: number): string | null {
  const destination = `${obstacle}:${port}`;
  const host = parseHost(obstacle);
  if (host?.kind === 'address' && facesOf(host.address).some((face) => classOf(face) === 'metadata')) return null;
  if (reason === 'ask-unanswered') return `gatekeeper grants add network ${destination}`;
  if (reason === 'no-rule' && inspected)
    return `widen methods or paths of its rule, see: gatekeeper policy explain network ${destination}`;
  return reason === 'no-rule' || reason === 'special-address' || reason === 'own-address'
    ? `gatekeeper net allow ${destination}`
    : null;
}

function explain({ reason, inspected }: Refused<unknown>): string {
  if (reason === null) return `a rule denies this ${inspected ? 'request' : 'destination'}`;
  return reason === 'no-rule' && inspected ? 'no rule allows this request' : EGRESS_REASON[reason];
}

const LINGER_MS = 1000;
