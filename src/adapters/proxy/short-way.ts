import type { IncomingMessage, ServerResponse } from 'node:http';
import { formatHost } from '../../core/egress/authority.ts';
import type { AbsoluteTarget } from '../../core/egress/request-target.ts';
import { isOver } from './answer-end.ts';
import type { Doorway } from './doorway.ts';
import { forward, refuse } from './forward.ts';
import { admitExchange } from './http-exchange.ts';
import type { RunLoad } from './limits.ts';
import type { PinnedAgent } from './pinned-agent.ts';
import { failure, malformed } from './refusal.ts';

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
    if (isOver(response)) return;
    const failed = () => failure('unreachable', formatHost(target.host), target.port, 502);
    forward(
      agent,
      { origin: admitted.origin, target, usualPort: 80, injected: admitted.headers, failed },
      request,
      response,
    );
  } catch {
    refuse(response, malformed('the request failed', 500));
  }
}

/** No segment is empty or starts with a dot, and nothing is escaped, a parameter or rewritten by any parser of URLs. */
const ORDINARY_PATH = /^\/(?:[\w~!$&()*+,=:@-][\w~!$&()*+,=:@.-]*(?:\/|$))*$/;
const ORDINARY_QUERY = /^(?:\?[\w~!$&()*+,;=:@.%/?-]*)?$/;
