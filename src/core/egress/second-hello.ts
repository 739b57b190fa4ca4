import { HelloReader } from './client-hello.ts';

/** `pass`: so many of the bytes that are held are harmless. `done`: all are, and what follows. `other`: a hello that is not like the first. */
export type SecondHelloProgress = { kind: 'pass'; bytes: number } | { kind: 'done' } | { kind: 'other' };

/**
 * Watches what a client of TLS sends after its hello, since a server may ask for a second one (RFC 8446, 4.1.4), and some then go by the name in that. It has
 * to be the first one's. Records in between (early data, a change of cipher, alerts) pass.
 */
export class SecondHello {
  readonly #serverName: string | undefined;
  #passed = 0;

  constructor(serverName: string | undefined) {
    this.#serverName = serverName;
  }

  /** `held` begins with a record, and has all bytes that have not passed. */
  look(held: Uint8Array): SecondHelloProgress {
    let at = 0;
    while (held.length - at >= RECORD_HEADER) {
      const [type, major, , high = 0, low = 0] = held.subarray(at);
      if (type === HANDSHAKE && major === 3) return this.#judge(held.subarray(at), at);
      const isSkipped = (type === CHANGE_CIPHER_SPEC || type === ALERT || type === APPLICATION_DATA) && major === 3;
      if (!isSkipped || this.#passed + at > SKIPPED_MAX) return { kind: 'done' };
      const end = at + RECORD_HEADER + high * 256 + low;
      if (end > held.length) break;
      at = end;
    }
    this.#passed += at;
    return { kind: 'pass', bytes: at };
  }

  #judge(rest: Uint8Array, at: number): SecondHelloProgress {
    const progress = new HelloReader().push(rest);
    if (progress.kind === 'more') {
      this.#passed += at;
      return { kind: 'pass', bytes: at };
    }
    // Another message than a hello: the handshake has gone on.
    if (progress.kind === 'foreign') return { kind: 'done' };
    return { kind: progress.kind === 'hello' && progress.hello.serverName === this.#serverName ? 'done' : 'other' };
  }
}

const RECORD_HEADER = 5;
const CHANGE_CIPHER_SPEC = 0x14;
const ALERT = 0x15;
const HANDSHAKE = 0x16;
const APPLICATION_DATA = 0x17;
/** More than servers skip of early data that they do not take; a hello is not asked for later. */
const SKIPPED_MAX = 96 * 1024;
