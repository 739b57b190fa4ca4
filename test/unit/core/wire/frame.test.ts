import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrame, MalformedFrame, parseFrame } from '../../../../src/core/wire/frame.ts';
import { FrameStream } from '../../../../src/core/wire/frame-stream.ts';

const kick = () => encodeFrame('KICK', { SEGMENT: 3, OFFSET: 4096 }, 7n);

describe('a frame', () => {
  test('comes back as it was built', () => {
    const TARGET = new TextEncoder().encode('/etc/passwd');
    const frame = parseFrame(encodeFrame('DECISION', { TIME_NS: 2n ** 63n + 5n, PID: 12, TARGET }, 9n));
    expect(frame).toEqual({ type: 'DECISION', number: 9n, fields: { TIME_NS: 2n ** 63n + 5n, PID: 12n, TARGET } });
  });

  test('has the documented bytes', () => {
    const hex = Buffer.from(encodeFrame('KICK', { SEGMENT: 1 }, 2n)).toString('hex');
    expect(hex).toBe('200000001200010002000000000000001b000000080000000100000000000000');
  });

  test('skips fields that it does not know', () => {
    const bytes = kick();
    bytes[16] = 200; // SEGMENT becomes an unknown tag
    expect(parseFrame(bytes)).toEqual({ type: 'KICK', number: 7n, fields: { OFFSET: 4096n } });
  });

  test('is refused when it would be too long', () => {
    expect(() => encodeFrame('NOTE', { TEXT: new Uint8Array(65_536) })).toThrow(MalformedFrame);
  });

  test.each<[string, (bytes: Uint8Array) => Uint8Array, string]>([
    ['shorter than a header', (b) => b.slice(0, 3), 'shorter than a length'],
    ['length below the header', (b) => set(b, 0, 15, 0, 0, 0), 'length 15 is not within 16 to 65536'],
    ['length past the maximum', (b) => set(b, 0, 1, 0, 1, 0), 'length 65537 is not within 16 to 65536'],
    ['negative length', (b) => set(b, 0, 255, 255, 255, 255), 'length 4294967295 is not within 16 to 65536'],
    ['length that is not that of the bytes', (b) => b.slice(0, -1), 'the length does not agree with the bytes at hand'],
    ['unknown type', (b) => set(b, 4, 99), 'unknown frame type'],
    ['another version', (b) => set(b, 6, 2), 'unknown frame version'],
    ['reserved bytes in a field', (b) => set(b, 18, 1), 'field 27: reserved bytes are not zero'],
    ['field past the end', (b) => set(b, 36, 9), 'field 28 passes the end'],
    ['huge field length', (b) => set(b, 36, 255, 255, 255, 255), 'field 28 passes the end'],
    ['repeated field', (b) => set(b, 32, 27), 'field 27 occurs twice'],
    ['repeated unknown field', (b) => set(set(b, 16, 200), 32, 200), 'field 200 occurs twice'],
    ['number of the wrong length', (b) => set(set(b.slice(0, 47), 0, 47), 36, 7), 'field 28 must have 8 bytes'],
    ['cut field header', (b) => set(b.slice(0, 36), 0, 36), 'a field header passes the end'],
  ])('is malformed: %s', (_name, change, why) => {
    const result = parseFrame(change(kick()));
    expect(result).toBeInstanceOf(MalformedFrame);
    expect((result as MalformedFrame).message).toBe(why);
  });

  test('never throws, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        parseFrame(bytes);
      }),
      { numRuns: 5000 },
    );
  });

  test('never throws on a good frame with some bytes changed, and what it accepts has numbers as bigint', () => {
    const change = fc.tuple(fc.nat(47), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = kick();
        for (const [at, value] of changes) bytes[at] = value;
        const result = parseFrame(bytes);
        if (!(result instanceof MalformedFrame)) expect(typeof (result.fields.SEGMENT ?? 0n)).toBe('bigint');
      }),
      { numRuns: 5000 },
    );
  });
});

describe('a stream of frames', () => {
  const note = (text: string) => encodeFrame('NOTE', { TEXT: new TextEncoder().encode(text) });

  test('gives the same frames however it is cut', () => {
    const bytes = Buffer.concat([note('one'), kick(), note('x'.repeat(60_000)), note('')]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }), (sizes) => {
        const stream = new FrameStream();
        const types: string[] = [];
        for (let at = 0, cut = 0; at < bytes.length; cut++) {
          const size = sizes[cut % sizes.length]!;
          for (const frame of stream.push(bytes.subarray(at, at + size))) types.push((frame as { type: string }).type);
          at += size;
        }
        expect(types).toEqual(['NOTE', 'KICK', 'NOTE', 'NOTE']);
        expect(stream.idle).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test('hands out fields that later input does not change', () => {
    const stream = new FrameStream();
    const [first] = stream.push(note('one'));
    stream.push(note('two'));
    expect(new TextDecoder().decode((first as { fields: { TEXT: Uint8Array } }).fields.TEXT)).toBe('one');
  });

  test('ends at the first malformed frame', () => {
    const stream = new FrameStream();
    const out = stream.push(Buffer.concat([kick(), Buffer.from([1, 0, 0, 0]), kick()]));
    expect(out.map((frame) => (frame instanceof MalformedFrame ? 'malformed' : frame.type))).toEqual([
      'KICK',
      'malformed',
    ]);
    expect(stream.push(kick())).toEqual([]);
    expect(stream.idle).toBe(false);
  });

  test('does not wait for the rest of a frame that is too long to be one', () => {
    expect(new FrameStream().push(Buffer.from([0, 0, 0, 1]))[0]).toBeInstanceOf(MalformedFrame);
  });
});

function set(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  bytes.set(values, at);
  return bytes;
}
