import { FIELD, FRAME, FRAME_HEADER_BYTES, FRAME_MAX_BYTES, FRAME_VERSION } from './messages.ts';

export type FrameName = keyof typeof FRAME;
export type FieldName = keyof typeof FIELD;

type BytesField = { [K in FieldName]: (typeof FIELD)[K]['type'] extends 'b' ? K : never }[FieldName];
type NumberField = Exclude<FieldName, BytesField>;

/** Integers are bigint (times in nanoseconds pass 2^53); bytes borrow from the buffer that was parsed. */
export type FrameFields = { [K in NumberField]?: bigint } & { [K in BytesField]?: Uint8Array };
export type Frame = { type: FrameName; number: bigint; fields: FrameFields };

/** The one error of this module: the bytes are no frame, for a reason that can be shown. */
export class MalformedFrame extends Error {
  override name = 'MalformedFrame';
}

/** Parses exactly one frame. Returns MalformedFrame, and never throws, whatever the bytes are. */
export function parseFrame(bytes: Uint8Array): Frame | MalformedFrame {
  const length = frameLength(bytes);
  if (length instanceof MalformedFrame) return length;
  if (length !== bytes.length) return new MalformedFrame('the length does not agree with the bytes at hand');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = FRAME_NAMES.get(view.getUint16(4, true));
  if (type === undefined) return new MalformedFrame('unknown frame type');
  if (view.getUint16(6, true) !== FRAME_VERSION) return new MalformedFrame('unknown frame version');
  const fields = parseFields(bytes, view);
  if (fields instanceof MalformedFrame) return fields;
  return { type, number: view.getBigUint64(8, true), fields };
}

/** The length that a frame's first bytes announce. */
export function frameLength(bytes: Uint8Array): number | MalformedFrame {
  if (bytes.length < 4) return new MalformedFrame('shorter than a length');
  const length = bytes[0]! + bytes[1]! * 0x100 + bytes[2]! * 0x1_0000 + bytes[3]! * 0x100_0000;
  return length >= FRAME_HEADER_BYTES && length <= FRAME_MAX_BYTES
    ? length
    : new MalformedFrame(`length ${length} is not within ${FRAME_HEADER_BYTES} to ${FRAME_MAX_BYTES}`);
}

/** Builds a frame. Throws MalformedFrame when it would be longer than a frame may be. */
export function encodeFrame(
  type: FrameName,
  fields: { [K in NumberField]?: bigint | number | undefined } & { [K in BytesField]?: Uint8Array | undefined },
  number = 0n,
): Uint8Array {
  const present = (Object.keys(fields) as FieldName[]).filter((name) => fields[name] !== undefined);
  let length = FRAME_HEADER_BYTES;
  for (const name of present) length += FIELD_HEADER_BYTES + encodedLength(fields[name]!);
  if (length > FRAME_MAX_BYTES) throw new MalformedFrame(`a frame of ${length} bytes is too long`);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setUint16(4, FRAME[type], true);
  view.setUint16(6, FRAME_VERSION, true);
  view.setBigUint64(8, number, true);
  let at = FRAME_HEADER_BYTES;
  for (const name of present) {
    const value = fields[name]!;
    view.setUint16(at, FIELD[name].tag, true);
    view.setUint32(at + 4, encodedLength(value), true);
    at += FIELD_HEADER_BYTES;
    if (value instanceof Uint8Array) bytes.set(value, at);
    else view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
    at += encodedLength(value);
  }
  return bytes;
}

function parseFields(bytes: Uint8Array, view: DataView): FrameFields | MalformedFrame {
  const fields: Record<string, bigint | Uint8Array> = {};
  const unknown = new Set<number>();
  for (let at = FRAME_HEADER_BYTES; at < bytes.length; ) {
    if (bytes.length - at < FIELD_HEADER_BYTES) return new MalformedFrame('a field header passes the end');
    const tag = view.getUint16(at, true);
    const length = view.getUint32(at + 4, true);
    if (view.getUint16(at + 2, true) !== 0) return new MalformedFrame(`field ${tag}: reserved bytes are not zero`);
    at += FIELD_HEADER_BYTES;
    if (length > bytes.length - at) return new MalformedFrame(`field ${tag} passes the end`);
    const field = FIELDS_BY_TAG[tag];
    if (field === undefined ? unknown.has(tag) : field.name in fields) {
      return new MalformedFrame(`field ${tag} occurs twice`);
    }
    if (field === undefined) unknown.add(tag);
    else {
      if (field.type !== 'b' && length !== 8) return new MalformedFrame(`field ${tag} must have 8 bytes`);
      fields[field.name] = field.type === 'b' ? bytes.subarray(at, at + length) : view.getBigUint64(at, true);
    }
    at += length;
  }
  return fields;
}

const encodedLength = (value: bigint | number | Uint8Array) => (value instanceof Uint8Array ? value.length : 8);

const FIELD_HEADER_BYTES = 8;
const FRAME_NAMES = new Map(Object.entries(FRAME).map(([name, number]) => [number as number, name as FrameName]));
const FIELDS_BY_TAG: ({ name: FieldName; type: 'u' | 'b' } | undefined)[] = [];
for (const [name, { tag, type }] of Object.entries(FIELD)) FIELDS_BY_TAG[tag] = { name: name as FieldName, type };
