import type { Socket } from 'node:net';
import { TYPE } from '../../src/core/dns/message.ts';

/** Messages as a resolver would write them, and as none would. Written here by themselves, so that parser and writer are not tested by each other. */
export function MESSAGE({
  id = 7,
  flags = 0x0100,
  counts = [1, 0, 0, 0],
  rest = [1, 97, 4, 116, 101, 115, 116, 0, 0, 1, 0, 1],
}: {
  id?: number;
  flags?: number;
  /** Of questions, answers, authorities and additional records. */
  counts?: number[];
  /** Everything behind the header. */
  rest?: readonly number[];
}): Uint8Array {
  return Uint8Array.from([...[id, flags, ...counts].flatMap(u16), ...rest]);
}

export function question(
  name: string,
  type: number,
  { id = 7, flags = 0x0100, additional = [] }: { id?: number; flags?: number; additional?: readonly number[][] } = {},
): Uint8Array {
  const labels = name === '' ? [] : name.split('.').map((label) => [...Buffer.from(label, 'latin1')]);
  const section = [...labels.flatMap((label) => [label.length, ...label]), 0, ...u16(type), ...u16(1)];
  return MESSAGE({ id, flags, counts: [1, 0, 0, additional.length], rest: [...section, ...additional.flat()] });
}

export function OPT({
  type = TYPE.OPT,
  version = 0,
  flags = 0,
  options = [],
  length,
}: {
  type?: number;
  version?: number;
  flags?: number;
  options?: readonly number[];
  length?: number;
} = {}): number[] {
  return [0, ...u16(type), ...u16(4096), 0, version, ...u16(flags), ...u16(length ?? options.length), ...options];
}

const u16 = (value: number): number[] => [value >> 8, value & 0xff];

export type Answer = {
  id: number;
  flags: number;
  /** With the upper bits that an OPT record carries. */
  rcode: number;
  questions: { name: string; type: number }[];
  /** Addresses as text, names, or hex of anything else. */
  answers: { name: string; type: number; ttl: number; data: string }[];
  opt: { version: number; flags: number } | undefined;
};

/** Reads an answer, with compressed names. Throws when it is not well formed to its last byte. */
export function readAnswer(message: Uint8Array): Answer {
  const view = Buffer.from(message);
  const [questions, answers, authorities, additional] = [4, 6, 8, 10].map((at) => view.readUInt16BE(at)) as number[];
  if (authorities !== 0) throw new Error('an authority section');
  let at = 12;
  const readName = (): string => {
    const { name, end } = nameAt(view, at);
    at = end;
    return name;
  };
  const next = (width: 1 | 2 | 4): number => {
    at += width;
    return view.readUIntBE(at - width, width);
  };
  const asked = Array.from({ length: questions! }, () => {
    const [name, type] = [readName(), next(2)];
    if (next(2) !== 1) throw new Error('a class other than IN');
    return { name, type };
  });
  let opt: Answer['opt'];
  let upper = 0;
  const found: Answer['answers'] = [];
  for (let record = 0; record < answers! + additional!; record++) {
    const [name, type, fourth, ttl, length] = [readName(), next(2), next(2), next(4), next(2)];
    const start = at;
    at += length;
    if (at > view.length) throw new Error('a record passes the end');
    if (type === TYPE.OPT) {
      opt = { version: (ttl >>> 16) & 0xff, flags: ttl & 0xffff };
      upper = ttl >>> 24;
    } else if (fourth !== 1) throw new Error('a record of another class');
    else found.push({ name, type, ttl, data: dataText(view, type, start, length) });
  }
  if (at !== view.length) throw new Error('bytes behind the last record');
  const flags = view.readUInt16BE(2);
  return { id: view.readUInt16BE(0), flags, rcode: (flags & 15) | (upper << 4), questions: asked, answers: found, opt };
}

function nameAt(view: Buffer, from: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = from;
  let end: number | undefined;
  for (let steps = 0; steps < 130; steps++) {
    const length = view.readUInt8(at);
    if (length >= 0xc0) {
      end ??= at + 2;
      at = view.readUInt16BE(at) & 0x3fff;
    } else if (length === 0) return { name: labels.join('.'), end: end ?? at + 1 };
    else {
      labels.push(view.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
  }
  throw new Error('a name without end');
}

function dataText(view: Buffer, type: number, at: number, length: number): string {
  const bytes = view.subarray(at, at + length);
  if (type === TYPE.A && length === 4) return bytes.join('.');
  if (type === TYPE.PTR) return nameAt(view, at).name;
  const groups = bytes.toString('hex').match(/.{1,4}/g) ?? [];
  return type === TYPE.AAAA && length === 16
    ? new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
    : groups.join('');
}

/** Sends questions over a connection that is there, and gives the answers until it ends or as many have come. */
export async function ask(
  socket: Socket,
  questions: readonly Uint8Array[],
  most = questions.length,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  let held = Buffer.alloc(0);
  if (questions.length > 0) socket.write(Buffer.concat(questions.map(framed)));
  if (answers.length >= most) return answers;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    held = Buffer.concat([held, chunk as Buffer]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
      const end = 2 + held.readUInt16BE(0);
      answers.push(readAnswer(held.subarray(2, end)));
      held = held.subarray(end);
    }
    if (answers.length >= most) return answers;
  }
  if (held.length > 0) throw new Error('an answer was cut');
  return answers;
}

export const framed = (message: Uint8Array): Uint8Array => Uint8Array.from([...u16(message.length), ...message]);
