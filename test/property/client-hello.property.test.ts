import { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type HelloProgress, HelloReader } from '../../src/core/egress/client-hello.ts';
import { capturedHello } from '../support/captured-hello.ts';
import { helloMessage, recordsOf, serverName } from '../support/client-hello.ts';

const readWhole = (bytes: Uint8Array): HelloProgress => new HelloReader().push(bytes);

it('the reading depends neither on how records cut a hello nor on how its bytes come', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z0-9.-]{1,60}$/),
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: 1, max: 400 }),
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }),
      (name, other, most, cuts) => {
        const whole = recordsOf(helloMessage({ extensions: [[1, other], serverName(name), [2, other]] }), most);
        const reader = new HelloReader();
        let last: HelloProgress = { kind: 'more' };
        for (let at = 0, turn = 0; at < whole.length; turn++) {
          const end = at + (cuts[turn % cuts.length] ?? 1);
          last = reader.push(whole.subarray(at, end));
          at = end;
          if (at < whole.length) expect(last).toEqual({ kind: 'more' });
        }
        expect(last).toEqual({ kind: 'hello', hello: { serverName: name } });
      },
    ),
    { numRuns: 300 },
  );
});

it('any bytes have a reading', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.boolean(), (bytes, asRecord) => {
      const kinds = ['more', 'foreign', 'malformed', 'hello'];
      expect(kinds).toContain(readWhole(asRecord ? recordsOf(bytes.length ? bytes : Buffer.of(1)) : bytes).kind);
    }),
    { numRuns: 2000 },
  );
});

/**
 * OpenSSL takes the part of a server behind the proxy: whatever becomes of a hello by chance, a name that the server would act on is the one that was read
 * here, or the hello was refused.
 */
it('no mutation of a real hello names to a server another host than is read here', async () => {
  const real = await capturedHello('good-host.test');
  expect(readWhole(real)).toEqual({ kind: 'hello', hello: { serverName: 'good-host.test' } });
  expect(await nameForServer(real)).toBe('good-host.test');
  let agreed = 0;
  const checked = async (bytes: Uint8Array) => {
    const read = readWhole(bytes);
    if (read.kind === 'malformed') return;
    const server = await nameForServer(bytes);
    if (server !== undefined) agreed++;
    if (server !== undefined) expect(read).toEqual({ kind: 'hello', hello: { serverName: server } });
  };
  const at = fc.integer({ min: 0, max: real.length - 1 });
  const change = fc.oneof(
    fc.record({ at, set: fc.integer({ min: 0, max: 255 }) }),
    fc.record({ at, drop: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ at, put: fc.uint8Array({ minLength: 1, maxLength: 4 }) }),
    fc.record({ at, again: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ at: fc.constant(0), put: recordInFront }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), fc.boolean(), (changes, mend) => {
      const changed = changes.reduce(apply, real);
      return checked(mend ? withLengths(changed) : changed);
    }),
    { numRuns: 1500 },
  );
  expect(agreed).toBeGreaterThan(100);
});

/** What servers pass over, some of them, in front of a hello. */
const recordInFront = fc
  .tuple(fc.integer({ min: 0x14, max: 0x18 }), fc.integer({ min: 0, max: 4 }), fc.uint8Array({ maxLength: 3 }))
  .map(([type, minor, data]) => Buffer.from([type, 3, minor, 0, data.length, ...data]));

type Change = { at: number; set?: number; drop?: number; put?: Uint8Array; again?: number };
function apply(bytes: Buffer, { at, set, drop, put, again }: Change): Buffer {
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  if (set !== undefined) return Buffer.concat([before, Buffer.of(set), after.subarray(1)]);
  if (drop !== undefined) return Buffer.concat([before, after.subarray(drop)]);
  return Buffer.concat([before, put ?? after.subarray(0, again), after]);
}

/** So that what changed inside is not refused for the lengths outside alone. */
function withLengths(bytes: Buffer): Buffer {
  const mended = Buffer.from(bytes);
  if (mended.length < 9) return mended;
  mended.writeUInt16BE(Math.max(0, mended.length - 5), 3);
  mended.writeUIntBE(Math.max(0, mended.length - 9), 6, 3);
  return mended;
}

/** The name that a server of TLS sees; undefined when it sees none or does not get that far. */
function nameForServer(hello: Uint8Array): Promise<string | undefined> {
  return new Promise((resolve) => {
    const wire = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    const server = new TLSSocket(wire, {
      isServer: true,
      secureContext: context,
      SNICallback: (name, done) => {
        seen = name;
        done(new Error('enough'));
      },
    });
    let seen: string | undefined;
    const end = () => {
      server.destroy();
      wire.destroy();
      resolve(seen);
    };
    server.once('error', end);
    server.once('end', end).resume();
    wire.push(hello);
    wire.push(null);
  });
}
const context = createSecureContext();
