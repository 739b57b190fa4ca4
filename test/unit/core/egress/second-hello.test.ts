import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SecondHello } from '../../../../src/core/egress/second-hello.ts';
import { helloFor } from '../../../support/client-hello.ts';

const hex = (text: string) => Buffer.from(text, 'hex');
const look = (...parts: Uint8Array[]) => new SecondHello('a.test').look(Buffer.concat(parts));
const CHANGE_CIPHER = hex('140303000101');
const KEY_EXCHANGE = hex('160303000410000000');
const data = (bytes: number) => Buffer.concat([hex('170303'), Buffer.of(bytes >> 8, bytes & 255), Buffer.alloc(bytes)]);

it('records that may come before it pass as they are whole', () => {
  expect(look()).toEqual({ kind: 'pass', bytes: 0 });
  expect(look(CHANGE_CIPHER)).toEqual({ kind: 'pass', bytes: 6 });
  expect(look(CHANGE_CIPHER, hex('15030300020100'), data(9).subarray(0, 8))).toEqual({ kind: 'pass', bytes: 13 });
  expect(look(data(9), hex('16'))).toEqual({ kind: 'pass', bytes: 14 });
});

it('it has the name of the first, or none does', () => {
  expect(look(CHANGE_CIPHER, helloFor('a.test'))).toEqual({ kind: 'done' });
  expect(look(CHANGE_CIPHER, helloFor('a.test').subarray(0, -1))).toEqual({ kind: 'pass', bytes: 6 });
  for (const name of ['b.test', 'A.test', undefined]) expect(look(helloFor(name))).toEqual({ kind: 'other' });
  expect(new SecondHello(undefined).look(helloFor(undefined))).toEqual({ kind: 'done' });
  expect(new SecondHello(undefined).look(helloFor('a.test'))).toEqual({ kind: 'other' });
});

it('a hello that cannot be read in one way is another', () => {
  expect(look(hex('1603030000'))).toEqual({ kind: 'other' });
  expect(look(Buffer.concat([helloFor('a.test').subarray(0, 60), hex('1503030001')]), Buffer.alloc(300))).toEqual({
    kind: 'other',
  });
});

it('none comes any more when the handshake has gone on, or nothing of TLS follows', () => {
  for (const next of [KEY_EXCHANGE, hex('1803030001'), hex('474554202f'), hex('1401030001')])
    expect(look(CHANGE_CIPHER, next)).toEqual({ kind: 'done' });
});

it('none comes any more behind more early data than servers skip', () => {
  const watch = new SecondHello('a.test');
  const looks = Array.from({ length: 8 }, () => watch.look(data(16_000)).kind);
  expect(looks).toContain('done');
  expect(looks.slice(0, 5)).toEqual(['pass', 'pass', 'pass', 'pass', 'pass']);
});

it('any bytes have an outcome, and never more of them pass than there are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, inFront) => {
      const held = inFront ? Buffer.concat([CHANGE_CIPHER, bytes]) : bytes;
      const outcome = look(held);
      expect(outcome.kind !== 'pass' || outcome.bytes <= held.length).toBe(true);
    }),
  );
});
