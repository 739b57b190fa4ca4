import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A witness (C2SP tlog-witness) made from its specification and RFC 9162 alone, with nothing of the program that it witnesses. It knows logs by their origin and the
 * public keys that it was told.
 */
export class Witness {
  readonly name = 'witness.example/of-tests';
  readonly requests: { old: number; proof: number; size: number }[] = [];
  readonly #pair = generateKeyPairSync('ed25519');
  readonly #server: Server;
  readonly #logs = new Map<string, { keys: Buffer[]; size: number; root: Buffer }>();
  /** Answers instead, when it is set. */
  instead: ((body: string) => { status: number; type?: string; body: string } | undefined) | undefined;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const body = await textOf(request);
      const answer = this.instead?.(body) ?? this.#answer(`${request.method} ${request.url}`, body);
      response.writeHead(answer.status, { 'content-type': answer.type ?? 'text/plain' }).end(answer.body);
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/prefix`;
  }

  /** `name+keyid+base64`, of type 0x04. */
  get key(): string {
    const bytes = Buffer.concat([Buffer.of(4), this.#publicKey]);
    return `${this.name}+${idOf(this.name, bytes).toString('hex')}+${bytes.toString('base64')}`;
  }

  trust(origin: string, publicKey: Uint8Array): void {
    const known = this.#logs.get(origin);
    if (known) known.keys.push(Buffer.from(publicKey));
    else this.#logs.set(origin, { keys: [Buffer.from(publicKey)], size: 0, root: Buffer.alloc(0) });
  }

  sizeOf(origin: string): number {
    return this.#logs.get(origin)?.size ?? 0;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  get #publicKey(): Buffer {
    return this.#pair.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  }

  #answer(what: string, body: string): { status: number; type?: string; body: string } {
    if (what !== 'POST /prefix/add-checkpoint') return { status: 404, body: 'no such thing\n' };
    const [, head = '', note = ''] = /^(old (?:0|[1-9]\d*)\n(?:[A-Za-z0-9+/]{43}=\n){0,63})\n(.*)$/s.exec(body) ?? [];
    const [first = '', ...proof] = head.split('\n').slice(0, -1);
    const [, text = '', signatures = ''] = /^(.*\n)\n((?:— .*\n)+)$/s.exec(note) ?? [];
    const [origin = '', count = '', root = ''] = text.split('\n');
    const [old, size] = [Number(first.slice('old '.length)), Number(count)];
    this.requests.push({ old, proof: proof.length, size });
    const log = this.#logs.get(origin);
    if (log === undefined) return { status: 404, body: 'unknown log\n' };
    if (!log.keys.some((key) => isSigned(origin, text, signatures, key))) return { status: 403, body: 'not signed\n' };
    if (old > size) return { status: 400, body: 'the old size is larger\n' };
    if (old !== log.size) return { status: 409, type: 'text/x.tlog.size', body: `${log.size}\n` };
    const hash = Buffer.from(root, 'base64');
    if (old === size && !hash.equals(log.root)) return { status: 409, body: 'another root\n' };
    const hashes = proof.map((line) => Buffer.from(line, 'base64'));
    if (!follows(old, log.root, size, hash, hashes)) return { status: 422, body: 'no proof\n' };
    Object.assign(log, { size, root: hash });
    return { status: 200, body: this.#cosign(text) };
  }

  #cosign(text: string): string {
    const time = Math.floor(Date.now() / 1000);
    const stamp = Buffer.alloc(8);
    stamp.writeBigUInt64BE(BigInt(time));
    const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), this.#pair.privateKey);
    const id = idOf(this.name, Buffer.concat([Buffer.of(4), this.#publicKey]));
    return `— ${this.name} ${Buffer.concat([id, stamp, signature]).toString('base64')}\n`;
  }
}

const idOf = (name: string, typed: Buffer): Buffer =>
  createHash('sha256').update(`${name}\n`).update(typed).digest().subarray(0, 4);

function isSigned(origin: string, text: string, signatures: string, key: Buffer): boolean {
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key]);
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const id = idOf(origin, Buffer.concat([Buffer.of(1), key]));
  return signatures
    .split('\n')
    .filter((line) => line.startsWith(`— ${origin} `))
    .map((line) => Buffer.from(line.split(' ')[2] ?? '', 'base64'))
    .some((bytes) => bytes.subarray(0, 4).equals(id) && verify(null, Buffer.from(text), publicKey, bytes.subarray(4)));
}

/** RFC 9162, 2.1.4.2, word for word. */
function follows(first: number, firstHash: Buffer, second: number, secondHash: Buffer, path: Buffer[]): boolean {
  if (first === 0) return path.length === 0;
  if (first === second) return path.length === 0 && firstHash.equals(secondHash);
  if (path.length === 0) return false;
  const isExact = Number.isInteger(Math.log2(first));
  const consistency = isExact ? [firstHash, ...path] : path;
  let [fn, sn] = [BigInt(first - 1), BigInt(second - 1)];
  while (fn & 1n) [fn, sn] = [fn >> 1n, sn >> 1n];
  let [fr, sr] = [consistency[0]!, consistency[0]!];
  for (const c of consistency.slice(1)) {
    if (sn === 0n) return false;
    if (fn & 1n || fn === sn) {
      [fr, sr] = [parent(c, fr), parent(c, sr)];
      if (!(fn & 1n)) while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else sr = parent(sr, c);
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n && fr.equals(firstHash) && sr.equals(secondHash);
}

const parent = (left: Buffer, right: Buffer): Buffer =>
  createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest();

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
