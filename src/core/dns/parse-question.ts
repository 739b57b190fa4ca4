import { CLASS_IN, type Edns, FLAG, HEADER_BYTES, NAME_MAX, type Question, type Rejection, TYPE } from './message.ts';

export type ParsedQuestion =
  | { ok: true; question: Question }
  /** `header`: the first two words, for an answer that says no; missing when there can be none. */
  | { ok: false; why: Rejection; header?: { id: number; flags: number; edns: Edns | undefined } };

/**
 * Reads one message as the question of a stub resolver: one standard query of class IN with nothing else but an OPT record. Whatever could be read in
 * two ways is rejected; no byte outside the message is looked at, and nothing throws.
 */
export function parseQuestion(message: Uint8Array): ParsedQuestion {
  if (message.length < HEADER_BYTES) return { ok: false, why: 'too-short' };
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const [id, flags, questions, answers, authorities, additional] = [0, 2, 4, 6, 8, 10].map((at) =>
    view.getUint16(at),
  ) as [number, number, number, number, number, number];
  if ((flags & FLAG.response) !== 0) return { ok: false, why: 'response' };
  const reject = (why: Rejection, edns?: Edns): ParsedQuestion => ({ ok: false, why, header: { id, flags, edns } });
  if ((flags & FLAG.opcode) !== 0) return reject('opcode');
  if (questions !== 1) return reject('questions');
  if (answers !== 0 || authorities !== 0 || additional > 1) return reject('records');
  const name = readName(message);
  if (typeof name === 'string') return reject(name);
  const behind = name.end + 4;
  if (behind > message.length) return reject('question-cut');
  const opt = additional === 1 ? readOpt(view, behind) : { end: behind, edns: undefined };
  if (typeof opt === 'string') return reject(opt);
  if (opt.end !== message.length) return reject('trailing-bytes');
  if (opt.edns && opt.edns.version !== 0) return reject('opt-version', opt.edns);
  if (view.getUint16(name.end + 2) !== CLASS_IN) return reject('class', opt.edns);
  const section = message.slice(HEADER_BYTES, behind);
  return {
    ok: true,
    question: { id, flags, labels: name.labels, type: view.getUint16(name.end), section, edns: opt.edns },
  };
}

/** The labels of the name at the start of the question section; the root has none. */
function readName(message: Uint8Array): { labels: Uint8Array[]; end: number } | Rejection {
  const labels: Uint8Array[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = message[at];
    if (length === undefined) return 'name-cut';
    // Pointers, and the label types of RFC 6891, 5: in the only name of a message a pointer could lead nowhere but back.
    if ((length & 0xc0) !== 0) return 'name-compressed';
    const end = at + 1 + length;
    if (end > message.length) return 'name-cut';
    if (end - HEADER_BYTES > NAME_MAX) return 'name-too-long';
    if (length === 0) return { labels, end };
    labels.push(message.slice(at + 1, end));
    at = end;
  }
}

type Opt = Edns & { version: number };

/** RFC 6891, 6.1.2; its options are stepped over, whatever they are. */
function readOpt(view: DataView, at: number): { end: number; edns: Opt } | Rejection {
  if (at + OPT_FIXED_BYTES > view.byteLength) return 'opt-malformed';
  if (view.getUint8(at) !== 0 || view.getUint16(at + 1) !== TYPE.OPT) return 'records';
  const end = at + OPT_FIXED_BYTES + view.getUint16(at + 9);
  if (end > view.byteLength) return 'opt-malformed';
  let option = at + OPT_FIXED_BYTES;
  while (option + 4 <= end) option += 4 + view.getUint16(option + 2);
  if (option !== end) return 'opt-malformed';
  return { end, edns: { version: view.getUint8(at + 6), dnssecOk: (view.getUint16(at + 7) & DNSSEC_OK) !== 0 } };
}

/** Root name, type, class, extended code and version and flags, length. */
const OPT_FIXED_BYTES = 11;
export const DNSSEC_OK = 0x8000;
