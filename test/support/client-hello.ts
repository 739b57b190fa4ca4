/** A ClientHello made to order; every part can be replaced to make it wrong. */
export type HelloParts = {
  version?: number;
  session?: Uint8Array;
  suites?: Uint8Array;
  compressions?: Uint8Array;
  /** `undefined` leaves the block out. */
  extensions?: ReadonlyArray<readonly [type: number, data: Uint8Array]> | undefined;
  /** After the last part of the message, inside of it. */
  trailing?: Uint8Array;
};

/** The handshake message, without record headers. */
export function helloMessage(parts: HelloParts = {}): Buffer {
  const extensions = 'extensions' in parts ? parts.extensions : [serverName('a.test')];
  const body = Buffer.concat([
    number(parts.version ?? 0x0303, 2),
    Buffer.alloc(32, 7),
    vector(1, parts.session ?? Buffer.alloc(32, 9)),
    vector(2, parts.suites ?? Buffer.from('130113021303c02fc030', 'hex')),
    vector(1, parts.compressions ?? Buffer.from([0])),
    ...(extensions ? [vector(2, Buffer.concat(extensions.map(([type, data]) => extension(type, data))))] : []),
    parts.trailing ?? Buffer.alloc(0),
  ]);
  return Buffer.concat([Buffer.from([1]), vector(3, body)]);
}

/** The message in records of so many bytes at most. */
export function recordsOf(message: Uint8Array, most = 16_384, version = 0x0301): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += most) {
    records.push(Buffer.from([0x16]), number(version, 2), vector(2, message.subarray(at, at + most)));
  }
  return Buffer.concat(records);
}

/** A whole hello on the wire that names the host. */
export const helloFor = (name: string | undefined): Buffer =>
  recordsOf(helloMessage({ extensions: [...(name === undefined ? [] : [serverName(name)]), SUPPORTED_VERSIONS] }));

export function serverName(...names: ReadonlyArray<string | Uint8Array>): readonly [number, Buffer] {
  const entries = names.map((name) => Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name as string))]));
  return [0, vector(2, Buffer.concat(entries))];
}

export function vector(lengthBytes: number, data: Uint8Array): Buffer {
  return Buffer.concat([number(data.length, lengthBytes), data]);
}

function extension(type: number, data: Uint8Array): Buffer {
  return Buffer.concat([number(type, 2), vector(2, data)]);
}

function number(value: number, bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  out.writeUIntBE(value, 0, bytes);
  return out;
}

const SUPPORTED_VERSIONS = [43, Buffer.from('0403040303', 'hex')] as const;
