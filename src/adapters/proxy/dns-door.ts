import type { Socket } from 'node:net';
import { REJECTION } from '../../core/dns/message.ts';
import { parseQuestion } from '../../core/dns/parse-question.ts';
import { framed, MessageStream } from '../../core/dns/stream.ts';
import { writeAnswer, writeRejection } from '../../core/dns/write-answer.ts';
import type { Connection } from './egress-event.ts';
import type { Limits } from './limits.ts';
import type { NameGate } from './name-gate.ts';

/**
 * The run's resolver: DNS over TCP (RFC 7766), several questions on a connection, answered one after the other in their order. Resolves when the
 * client has ended its side, is quiet for too long, or has asked too much; rejects when the connection breaks.
 */
export async function serveNames<Image>(
  gate: NameGate<Image>,
  limits: Pick<Limits, 'nameIdleMs' | 'questionsPerConnection'>,
  connection: Connection,
  socket: Socket,
): Promise<void> {
  socket.setTimeout(limits.nameIdleMs, () => socket.destroy());
  const stream = new MessageStream(LONGEST_QUESTION);
  let left = limits.questionsPerConnection;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    const messages = stream.push(chunk);
    if (!messages) break;
    for (const message of messages) {
      const answer = left-- > 0 ? await answerTo(gate, connection, message) : undefined;
      if (!answer) return hangUp(socket);
      if (!socket.write(framed(answer))) await writable(socket);
    }
  }
  hangUp(socket);
}

/** Undefined when there is nothing to answer. */
async function answerTo<Image>(
  gate: NameGate<Image>,
  connection: Connection,
  message: Uint8Array,
): Promise<Uint8Array | undefined> {
  const parsed = parseQuestion(message);
  if (parsed.ok) {
    const { rcode, data } = await gate.answer(connection, parsed.question);
    return writeAnswer(parsed.question, rcode, data, TTL_SECONDS);
  }
  const { rcode } = REJECTION[parsed.why];
  return rcode === null || !parsed.header ? undefined : writeRejection(parsed.header, rcode);
}

/** Answers on their way arrive; what comes after is taken and dropped for a moment, because unread bytes would turn the end into a reset. */
function hangUp(socket: Socket): void {
  socket.end();
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

function writable(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ['drain', 'close'] as const) socket.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'close'] as const) socket.on(event, done);
    if (socket.destroyed) done();
  });
}

/** As long as the answer may be kept; the address stands for its name until the run is over. */
const TTL_SECONDS = 60;
/** A name, its type and class, and whatever a resolver puts into OPT. */
const LONGEST_QUESTION = 4096;
const LINGER_MS = 1000;
