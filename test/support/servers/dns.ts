import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';

/** Name → addresses of both families. Names with several lists give one after the other, a list to a question (each family for itself), the last for good. */
export type Zone = Readonly<Record<string, readonly (readonly string[])[]>>;

/** A name server (RFC 1035) that answers from a table and tells of every question it gets, whatever it is. On UDP and TCP. */
export async function serveDns(
  address: string,
  zone: Zone,
  asked: (name: string, type: number, transport: string) => void,
): Promise<void> {
  const turns = new Map<string, number>();
  const answer = (message: Buffer, transport: string): Buffer => {
    const { name, type, end } = readQuestion(message);
    asked(name, type, transport);
    const lists = zone[name];
    const turn = turns.get(`${name} ${type}`) ?? 0;
    turns.set(`${name} ${type}`, turn + 1);
    const addresses = (lists?.[Math.min(turn, lists.length - 1)] ?? []).filter((address) => typeOf(address) === type);
    const head = Buffer.alloc(12);
    message.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8180 | (lists ? 0 : NXDOMAIN), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(addresses.length, 6);
    return Buffer.concat([head, message.subarray(12, end), ...addresses.map((address) => record(address))]);
  };
  const udp = createSocket('udp4');
  udp.on('message', (message, from) => udp.send(answer(message, 'udp'), from.port, from.address));
  await new Promise<void>((done) => udp.bind(53, address, done));
  const tcp = createServer((socket) => serveStream(socket, (message) => answer(message, 'tcp')));
  await new Promise<void>((done) => tcp.listen(53, address, done));
}

/** Each message is preceded by its length (RFC 7766). */
function serveStream(socket: Socket, answer: (message: Buffer) => Buffer): void {
  let pending = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const length = pending.readUInt16BE(0);
      const reply = answer(pending.subarray(2, 2 + length));
      const size = Buffer.alloc(2);
      size.writeUInt16BE(reply.length);
      socket.write(Buffer.concat([size, reply]));
      pending = pending.subarray(2 + length);
    }
  });
}

function readQuestion(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

function record(address: string): Buffer {
  const data = typeOf(address) === AAAA ? bytesOf6(address) : Buffer.from(address.split('.').map(Number));
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0); // the name of the question
  head.writeUInt16BE(typeOf(address), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(0, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function bytesOf6(address: string): Buffer {
  const [front, back] = address.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array<string>(8 - (front?.length ?? 0) - (back?.length ?? 0)).fill('0');
  const bytes = Buffer.alloc(16);
  for (const [at, group] of [...(front ?? []), ...zeros, ...(back ?? [])].entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), at * 2);
  return bytes;
}

const A = 1;
const AAAA = 28;
const typeOf = (address: string): number => (address.includes(':') ? AAAA : A);
const NXDOMAIN = 3;
