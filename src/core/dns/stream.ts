import { MESSAGE_MAX } from './message.ts';

/**
 * Takes a TCP stream of DNS apart: each message comes behind its length in two bytes (RFC 1035, 4.2.2), in whatever pieces. Holds at most one message
 * that is not complete yet, and none that says it is longer than what a question needs.
 */
export class MessageStream {
  readonly #longest: number;
  #held: Uint8Array = new Uint8Array(0);

  constructor(longest: number) {
    this.#longest = longest;
  }

  /** The messages that these bytes complete, in order. Undefined when one is announced that is too long: what follows means nothing. */
  push(bytes: Uint8Array): Uint8Array[] | undefined {
    const all = this.#held.length === 0 ? bytes : concat(this.#held, bytes);
    const messages: Uint8Array[] = [];
    let at = 0;
    while (at + 2 <= all.length) {
      const length = (all[at]! << 8) | all[at + 1]!;
      if (length > this.#longest) return undefined;
      const end = at + 2 + length;
      if (end > all.length) break;
      messages.push(all.slice(at + 2, end));
      at = end;
    }
    this.#held = all.slice(at);
    return messages;
  }
}

/** @throws RangeError when the message is longer than its length can say */
export function framed(message: Uint8Array): Uint8Array {
  if (message.length > MESSAGE_MAX) throw new RangeError('a DNS message has at most 65,535 bytes');
  return concat(Uint8Array.of(message.length >> 8, message.length & 0xff), message);
}

function concat(one: Uint8Array, other: Uint8Array): Uint8Array {
  const all = new Uint8Array(one.length + other.length);
  all.set(one);
  all.set(other, one.length);
  return all;
}
