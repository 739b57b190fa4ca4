import { describe, expect, it } from 'vitest';
import { HelloReader } from '../../../../src/core/egress/client-hello.ts';
import {
  type HelloParts,
  helloFor,
  helloMessage,
  recordsOf,
  serverName,
  vector,
} from '../../../support/client-hello.ts';

const read = (...chunks: Uint8Array[]) => {
  const reader = new HelloReader();
  return chunks.map((chunk) => reader.push(chunk)).at(-1);
};
const named = (serverName: string | undefined) => ({ kind: 'hello', hello: { serverName } });

describe('a hello', () => {
  it('gives its name, or says that there is none', () => {
    expect(read(helloFor('Api.Example.test'))).toEqual(named('Api.Example.test'));
    expect(read(helloFor(undefined))).toEqual(named(undefined));
    expect(read(recordsOf(helloMessage({ extensions: undefined })))).toEqual(named(undefined));
  });

  it('is known with its last byte, however it is cut into records and chunks', () => {
    for (const most of [1, 2, 3, 4, 5, 50, 16_384]) {
      const whole = recordsOf(helloMessage(), most);
      const reader = new HelloReader();
      for (const byte of whole.subarray(0, -1)) expect(reader.push(Uint8Array.of(byte))).toEqual({ kind: 'more' });
      expect(reader.push(whole.subarray(-1))).toEqual(named('a.test'));
    }
  });

  it('ends with its record, whatever follows', () => {
    const early = Buffer.from('1703030005abcdef0102', 'hex');
    const reader = new HelloReader();
    expect(reader.push(Buffer.concat([helloFor('a.test'), early]))).toEqual(named('a.test'));
    expect(reader.consumed).toBe(helloFor('a.test').length);
    const crowded = Buffer.concat([helloMessage(), Buffer.from('14000000', 'hex')]);
    expect(read(recordsOf(crowded))).toEqual({ kind: 'malformed' });
    expect(read(recordsOf(crowded).subarray(0, -2))).toEqual({ kind: 'malformed' });
  });

  it('may have reserved values among its extensions (RFC 8701) and any record version of the major one', () => {
    const extensions = [[0x1a1a, Buffer.alloc(0)], serverName('a.test'), [0xfafa, Buffer.from([0])]] as const;
    expect(read(recordsOf(helloMessage({ extensions })))).toEqual(named('a.test'));
    for (const version of [0x0300, 0x0303, 0x0304, 0x03ff])
      expect(read(recordsOf(helloMessage(), 100, version))).toEqual(named('a.test'));
  });

  it('may be large, and not larger than the bound', () => {
    const padded = (bytes: number) =>
      recordsOf(helloMessage({ extensions: [[21, Buffer.alloc(bytes)], serverName('a.test')] }));
    expect(read(padded(16_000))).toEqual(named('a.test'));
    expect(read(padded(16_384))).toEqual({ kind: 'malformed' });
    expect(read(padded(60_000))).toEqual({ kind: 'malformed' });
    expect(read(recordsOf(helloMessage({ extensions: [[21, Buffer.alloc(10_000)]] }), 1))).toEqual({
      kind: 'malformed',
    });
  });
});

describe('another protocol', () => {
  it.each([
    ['SSH', Buffer.from('SSH-2.0-x\r\n')],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['a hello of SSL 2', Buffer.from('802e0103010015', 'hex')],
    ['a first byte of TLS with another second', Buffer.from([0x16, 0x41])],
    ['DTLS', Buffer.from('16feff0000', 'hex')],
    ['zeros', Buffer.alloc(10)],
  ])('is told apart at once: %s', (_name, bytes) => {
    expect(read(bytes)).toEqual({ kind: 'foreign' });
  });

  it('is not told by bytes that it shares', () => {
    for (const byte of [0x14, 0x15, 0x16]) {
      expect(read(Uint8Array.of(byte))).toEqual({ kind: 'more' });
      expect(read(Uint8Array.of(byte), Uint8Array.of(2))).toEqual({ kind: 'foreign' });
    }
    for (const byte of [0x13, 0x17, 0x18, 0x19]) expect(read(Uint8Array.of(byte))).toEqual({ kind: 'foreign' });
  });

  it.each([
    ['data first', '1703030001'],
    ['a long alert first', '1503000003'],
    ['a long change of cipher first', '1403000003'],
    ['another message than a hello', '160301000402'],
    // The length of a message comes first there, the lowest byte in front: 0x316, 0x315 and 0x314 of them.
    ['a message of MongoDB', '160300000700000000000000d40700'],
    ['another message of MongoDB', '150300000700000000000000d40700'],
    ['a third message of MongoDB', '140300000700000000000000d40700'],
  ])('is what no server of TLS takes: %s', (_name, hex) => {
    expect(read(Buffer.from(hex, 'hex'))).toEqual({ kind: 'foreign' });
  });
});

describe('what a server could read in another way', () => {
  const wrong: ReadonlyArray<readonly [string, HelloParts]> = [
    ['two server_name extensions', { extensions: [serverName('a.test'), serverName('b.test')] }],
    ['any extension twice', { extensions: [[43, Buffer.alloc(1)], serverName('a.test'), [43, Buffer.alloc(1)]] }],
    ['two names', { extensions: [serverName('a.test', 'b.test')] }],
    ['no name in the list', { extensions: [serverName()] }],
    ['an empty name', { extensions: [serverName('')] }],
    ['a name of another type', { extensions: [[0, vector(2, Buffer.from('010006612e74657374', 'hex'))]] }],
    ['an empty extension', { extensions: [[0, Buffer.alloc(0)]] }],
    ['a byte behind the list', { extensions: [[0, Buffer.concat([serverName('a.test')[1], Buffer.alloc(1)])]] }],
    ['a NUL in the name', { extensions: [serverName('a.test\0.b.test')] }],
    ['a blank in the name', { extensions: [serverName('a.test b')] }],
    ['a name beyond ASCII', { extensions: [serverName('gr\u00fc\u00df.test')] }],
    ['a name that is too long', { extensions: [serverName('a'.repeat(256))] }],
    ['a long session', { session: Buffer.alloc(33) }],
    ['no cipher suite', { suites: Buffer.alloc(0) }],
    ['half a cipher suite', { suites: Buffer.alloc(3) }],
    ['no compression', { compressions: Buffer.alloc(0) }],
    ['bytes behind the extensions', { trailing: Buffer.alloc(1) }],
  ];
  it.each(wrong)('is malformed: %s', (_name, parts) => {
    expect(read(recordsOf(helloMessage(parts)))).toEqual({ kind: 'malformed' });
  });

  it.each([
    ['an alert first', '15030300020100'],
    ['a change of cipher first', '140303000101'],
    ['an empty change of cipher first', '1403030000'],
    ['an empty record', '1603010000'],
    ['a record that is too long', '1603014001'],
    ['a record of another type in between', `160301000201001503`],
    ['a record of another version in between', `1603010002010016fe`],
  ])('is malformed: %s', (_name, hex) => {
    expect(read(Buffer.from(hex, 'hex'))).toEqual({ kind: 'malformed' });
  });

  it('is malformed when any length of it is one off', () => {
    const message = helloMessage({ extensions: [serverName('a.test')] });
    const lengths = [3, 38, 72, 83, 86, 90, 92, 95];
    for (const at of lengths) {
      for (const by of [-1, 1]) {
        const changed = Buffer.from(message);
        changed[at] = (changed[at] ?? 0) + by;
        const outcome = read(recordsOf(changed));
        expect(['malformed', 'more'], `${at} ${by}`).toContain(outcome?.kind);
      }
    }
  });
});
