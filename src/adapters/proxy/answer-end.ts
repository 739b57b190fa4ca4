import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Whether nobody will read more of the answer. */
export const isOver = (response: ServerResponse): boolean => response.closed || response.req.socket.destroyed;

/**
 * Calls back once when the answer has gone out or its connection has closed; at once when that has been. Node says nothing of answers that wait behind another
 * one (pipelining) when their connection closes.
 */
export function whenOver(response: ServerResponse, then: () => void): void {
  if (isOver(response)) return void then();
  const { socket } = response.req;
  const waiting = answersOn(socket);
  const once = () => {
    if (waiting.delete(once)) then();
  };
  waiting.add(once);
  response.once('close', once);
}

function answersOn(socket: Socket): Set<() => void> {
  const known = answers.get(socket);
  if (known) return known;
  const waiting = new Set<() => void>();
  answers.set(socket, waiting);
  socket.once('close', () => {
    for (const once of waiting) once();
  });
  return waiting;
}

const answers = new WeakMap<Socket, Set<() => void>>();
