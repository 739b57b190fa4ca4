/** What a ClientHello says that matters here. */
export type ClientHello = {
  /** The host_name of server_name (RFC 6066, 3) as it came, printable ASCII; undefined without the extension. */
  serverName: string | undefined;
};

/**
 * `more`: a hello as far as it goes. `foreign`: what no server of TLS takes. `malformed`: what one may take, and that does not begin with one hello of one
 * reading.
 */
export type HelloProgress = { kind: 'more' } | { kind: 'foreign' } | { kind: 'malformed' } | FoundHello;
export type FoundHello = { kind: 'hello'; hello: ClientHello };

/**
 * Reads the ClientHello at the start of a TLS stream (RFC 8446, 4.1.2 and 5.1; RFC 5246, 7.4.1.2) as its bytes come. Stricter than servers are: what one of them
 * could read as another name is malformed, never read. Looks at the outer hello alone where the inner one is encrypted.
 */
export class HelloReader {
  #message: Uint8Array = NOTHING;
  #held = 0;
  readonly #header = new Uint8Array(RECORD_HEADER);
  #headerHeld = 0;
  #recordLeft = 0;
  #seen = 0;
  #outcome: HelloProgress = { kind: 'more' };

  /** How many bytes belong to what was read; what comes after a hello begins there. */
  get consumed(): number {
    return this.#seen;
  }

  /** The progress with these bytes. After anything but `more` it stays what it is. */
  push(chunk: Uint8Array): HelloProgress {
    let at = 0;
    while (this.#outcome.kind === 'more' && at < chunk.length) {
      if (this.#seen >= MAX_BYTES) this.#outcome = { kind: 'malformed' };
      else at += this.#recordLeft > 0 ? this.#takeFragment(chunk, at) : this.#takeHeader(chunk[at] ?? 0);
    }
    return this.#outcome;
  }

  #takeHeader(byte: number): number {
    this.#seen++;
    this.#header[this.#headerHeld++] = byte;
    const isFirst = this.#held === 0;
    const [type = 0, major = 0, , high = 0, low = 0] = this.#header;
    const couldBegin = type === HANDSHAKE || (isFirst && (type === CHANGE_CIPHER_SPEC || type === ALERT));
    if (!couldBegin || (this.#headerHeld >= 2 && major !== 3)) {
      this.#outcome = { kind: isFirst ? 'foreign' : 'malformed' };
    }
    if (this.#headerHeld < RECORD_HEADER || this.#outcome.kind !== 'more') return 1;
    this.#headerHeld = 0;
    this.#recordLeft = high * 256 + low;
    const isHello = type === HANDSHAKE && this.#recordLeft > 0 && this.#recordLeft <= RECORD_MAX;
    // Servers pass over records that are empty, and over alerts, in front of a hello; none passes over others.
    if (!isHello)
      this.#outcome = { kind: type === HANDSHAKE || this.#recordLeft <= SKIPPED_MAX ? 'malformed' : 'foreign' };
    return 1;
  }

  /** Most hellos are one record, whose length is known by then. */
  #grow(): void {
    const wanted = this.#message.length === 0 ? this.#recordLeft : MAX_BYTES;
    const grown = new Uint8Array(Math.min(wanted, MAX_BYTES));
    grown.set(this.#message.subarray(0, this.#held));
    this.#message = grown;
  }

  #takeFragment(chunk: Uint8Array, at: number): number {
    // No server takes another message first.
    if (this.#held === 0 && chunk[at] !== CLIENT_HELLO) this.#outcome = { kind: 'foreign' };
    const taken = Math.min(this.#recordLeft, chunk.length - at, MAX_BYTES - this.#seen);
    if (this.#held + taken > this.#message.length) this.#grow();
    this.#message.set(chunk.subarray(at, at + taken), this.#held);
    this.#held += taken;
    this.#seen += taken;
    this.#recordLeft -= taken;
    const [, high = 0, middle = 0, low = 0] = this.#message;
    if (this.#outcome.kind !== 'more' || this.#held < MESSAGE_HEADER) return taken;
    const end = MESSAGE_HEADER + high * 65_536 + middle * 256 + low;
    if (end > MAX_BYTES) this.#outcome = { kind: 'malformed' };
    else if (this.#held >= end) {
      // Nothing follows a hello in its record (RFC 8446, 5.1; before 1.3 the server speaks next).
      const isLast = this.#held === end && this.#recordLeft === 0;
      const hello = isLast ? readHello(new Cursor(this.#message.subarray(MESSAGE_HEADER, end))) : undefined;
      this.#outcome = hello ? { kind: 'hello', hello } : { kind: 'malformed' };
    }
    return taken;
  }
}

function readHello(body: Cursor): ClientHello | undefined {
  body.take(2); // legacy_version
  body.take(32); // random
  const session = body.vector(1);
  const suites = body.vector(2);
  const compressions = body.vector(1);
  const isWhole = session.length <= 32 && suites.length >= 2 && suites.length % 2 === 0 && compressions.length >= 1;
  if (body.failed || !isWhole) return undefined;
  // Before TLS 1.3 a hello may end here.
  if (body.left === 0) return { serverName: undefined };
  const extensions = body.vector(2);
  if (body.failed || body.left > 0) return undefined;
  return readExtensions(new Cursor(extensions));
}

function readExtensions(list: Cursor): ClientHello | undefined {
  const types = new Set<number>();
  const hello: ClientHello = { serverName: undefined };
  while (list.left > 0) {
    const type = list.number(2);
    const data = list.vector(2);
    if (list.failed || types.has(type)) return undefined;
    types.add(type);
    if (type !== SERVER_NAME) continue;
    hello.serverName = readServerName(new Cursor(data));
    if (hello.serverName === undefined) return undefined;
  }
  return hello;
}

/** A list of names of which there is one, a host_name. */
function readServerName(data: Cursor): string | undefined {
  const list = new Cursor(data.vector(2));
  const type = list.number(1);
  const name = list.vector(2);
  if (data.failed || data.left > 0 || list.failed || list.left > 0) return undefined;
  const isText = name.length > 0 && name.length <= NAME_MAX && name.every((byte) => byte > 0x20 && byte < 0x7f);
  return type === HOST_NAME && isText ? String.fromCharCode(...name) : undefined;
}

/** Reads forward; after what is not there everything is empty and `failed` is set. */
class Cursor {
  failed = false;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(length: number): Uint8Array {
    if (length > this.left) this.failed = true;
    if (this.failed) return NOTHING;
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Big-endian. */
  number(length: number): number {
    return this.take(length).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  /** Bytes behind their length, which has so many bytes itself. */
  vector(lengthBytes: number): Uint8Array {
    return this.take(this.number(lengthBytes));
  }
}

const NOTHING = new Uint8Array(0);
/** Of the hello with its record headers; the largest in use, with keys of post-quantum exchanges and a ticket, have a few thousand. */
const MAX_BYTES = 16 * 1024;
const NAME_MAX = 255;
const RECORD_HEADER = 5;
const RECORD_MAX = 16 * 1024;
const MESSAGE_HEADER = 4;
const CLIENT_HELLO = 1;
const CHANGE_CIPHER_SPEC = 0x14;
const ALERT = 0x15;
const HANDSHAKE = 0x16;
/** A record in front of the hello is no longer than an alert. */
const SKIPPED_MAX = 2;
const SERVER_NAME = 0;
const HOST_NAME = 0;
