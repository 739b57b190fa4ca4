import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAuthority } from '../../../../src/core/egress/authority.ts';
import { readGreeting, readSocksRequest } from '../../../../src/core/egress/socks.ts';
import { socksConnect } from '../../../support/socks.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const answerTo = (step: ReturnType<typeof readSocksRequest>) =>
  step.kind === 'refused' ? step.answer[1] : step.kind === 'read' ? formatAuthority(step.said) : step.kind;

describe('a greeting of SOCKS 5', () => {
  it('has to offer going without authentication', () => {
    expect(readGreeting(hex('05 01 00'))).toEqual({ kind: 'read', said: undefined, length: 3 });
    expect(readGreeting(hex('05 03 02 01 00 05 01'))).toEqual({ kind: 'read', said: undefined, length: 5 });
    for (const without of ['05 00', '05 01 02', '05 02 01 02'])
      expect(readGreeting(hex(without))).toEqual({ kind: 'refused', answer: Uint8Array.of(5, 0xff) });
  });

  it('may come in parts', () => {
    for (const part of ['', '05', '05 02', '05 02 00']) expect(readGreeting(hex(part))).toEqual({ kind: 'more' });
  });

  it('of version 4 is answered in version 4', () => {
    expect(readGreeting(hex('04 01 0050 7f000001 00'))).toEqual({
      kind: 'refused',
      answer: Uint8Array.from(hex('005b000000000000')),
    });
  });
});

describe('a request of SOCKS 5', () => {
  it.each([
    [socksConnect('Good.Test.', 443), 'good.test:443'],
    [socksConnect('127.1', 80), '127.0.0.1:80'],
    [socksConnect('[::1]', 80), '[::1]:80'],
    [hex('05 01 00 01 0a000001 0050'), '10.0.0.1:80'],
    [hex('05 01 00 04 00000000000000000000ffff7f000001 ffff'), '127.0.0.1:65535'],
    [hex('05 01 00 04 20010db8000000000000000000000001 0001'), '[2001:db8::1]:1'],
  ])('is read: %#', (bytes, text) => {
    expect(answerTo(readSocksRequest(bytes))).toBe(text);
    expect(readSocksRequest(Buffer.concat([bytes, hex('160301')]))).toMatchObject({
      kind: 'read',
      length: bytes.length,
    });
    for (let end = 0; end < bytes.length; end++) {
      expect(readSocksRequest(bytes.subarray(0, end)), `${end}`).toEqual({ kind: 'more' });
    }
  });

  it.each([
    ['another version', '04', 1],
    ['BIND', '05 02', 7],
    ['UDP ASSOCIATE', '05 03', 7],
    ['a command of Tor', '05 f0', 7],
    ['a reserved byte that is set', '05 01 01', 1],
    ['an address type that is none', '05 01 00 02', 8],
    ['a name of no length', '05 01 00 03 00 0050', 1],
    ['port 0', '05 01 00 01 0a000001 0000', 1],
  ])('is refused with %s', (_name, bytes, code) => {
    expect(answerTo(readSocksRequest(hex(bytes)))).toBe(code);
  });

  it('is read or refused, whatever its bytes are', () => {
    const name = fc.uint8Array({ minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          name.map((bytes) => socksConnect(bytes, 443)),
        ),
        (bytes) => {
          expect(['more', 'refused', 'read']).toContain(readSocksRequest(bytes).kind);
          expect(['more', 'refused', 'read']).toContain(readGreeting(bytes).kind);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
