import { CLASS_IN, type Edns, FLAG, HEADER_BYTES, type Question, type Rcode, TYPE } from './message.ts';
import { DNSSEC_OK } from './parse-question.ts';

/**
 * The answer to a question. It says that recursion is available, because without that some resolvers take an empty answer for a server that is no use
 * and try the next one.
 */
export function writeAnswer(
  { id, flags, section, type, edns }: Pick<Question, 'id' | 'flags' | 'section' | 'type' | 'edns'>,
  rcode: Rcode,
  data: readonly Uint8Array[],
  ttlSeconds: number,
): Uint8Array {
  const records = data.map((bytes) => [
    ...POINTER_TO_QUESTION,
    ...u16(type),
    ...u16(CLASS_IN),
    ...u32(ttlSeconds),
    ...u16(bytes.length),
    ...bytes,
  ]);
  const head = header(id, flags, rcode, { questions: 1, answers: records.length, additional: edns ? 1 : 0 });
  return Uint8Array.from([...head, ...section, ...records.flat(), ...optRecord(edns, rcode)]);
}

/** The answer to a message that could not be read: its number and the code, without the question. */
export function writeRejection(
  { id, flags, edns }: { id: number; flags: number; edns: Edns | undefined },
  rcode: Rcode,
): Uint8Array {
  return Uint8Array.from([
    ...header(id, flags, rcode, { questions: 0, answers: 0, additional: edns ? 1 : 0 }),
    ...optRecord(edns, rcode),
  ]);
}

/** A canonical host name as it stands in a message. */
export function nameOnWire(name: string): Uint8Array {
  const labels = name.split('.').map((label) => new TextEncoder().encode(label));
  return Uint8Array.from([...labels.flatMap((label) => [label.length, ...label]), 0]);
}

function header(
  id: number,
  flags: number,
  rcode: Rcode,
  count: { questions: number; answers: number; additional: number },
): number[] {
  const kept = flags & (FLAG.opcode | FLAG.recursionDesired | FLAG.checkingDisabled);
  const answered = FLAG.response | kept | FLAG.recursionAvailable | (rcode & 0xf);
  return [id, answered, count.questions, count.answers, 0, count.additional].flatMap(u16);
}

/** RFC 6891, 6.1.1: who asks with OPT is answered with it. The upper bits of the code stand here. */
function optRecord(edns: Edns | undefined, rcode: Rcode): number[] {
  if (!edns) return [];
  return [0, ...u16(TYPE.OPT), ...u16(PAYLOAD_BYTES), rcode >> 4, 0, ...u16(edns.dnssecOk ? DNSSEC_OK : 0), ...u16(0)];
}

const u16 = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];
/** The only name of the message stands behind the header. */
const POINTER_TO_QUESTION = [0xc0, HEADER_BYTES];
/** Of datagrams, of which there are none here; what everybody says (RFC 9715). */
const PAYLOAD_BYTES = 1232;
