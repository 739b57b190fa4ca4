import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RCODE, TYPE } from '../../../../src/core/dns/message.ts';
import { parseQuestion } from '../../../../src/core/dns/parse-question.ts';
import { addressOfReverseName } from '../../../../src/core/dns/reverse-name.ts';
import { framed } from '../../../../src/core/dns/stream.ts';
import { nameOnWire, writeAnswer, writeRejection } from '../../../../src/core/dns/write-answer.ts';
import { formatAddress } from '../../../../src/core/egress/address.ts';
import { type HostName, parseHostName } from '../../../../src/core/egress/host-name.ts';
import { OPT, question, readAnswer } from '../../../support/dns-client.ts';

function asked(message: Uint8Array) {
  const parsed = parseQuestion(message);
  if (!parsed.ok) throw new Error(parsed.why);
  return parsed.question;
}

describe('an answer', () => {
  it('repeats the question byte for byte, and gives the data with its lifetime', () => {
    const answer = writeAnswer(asked(question('wWw.A.test', TYPE.A, { id: 0xabcd })), RCODE.noError, [v4], 60);
    expect(readAnswer(answer)).toEqual({
      id: 0xabcd,
      flags: 0x8180,
      rcode: 0,
      questions: [{ name: 'wWw.A.test', type: 1 }],
      answers: [{ name: 'wWw.A.test', type: 1, ttl: 60, data: '198.18.0.2' }],
      opt: undefined,
    });
  });

  it('is of the type that was asked for', () => {
    const v6 = Uint8Array.from([0x20, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 198, 18, 0, 2]);
    const aaaa = readAnswer(writeAnswer(asked(question('a.test', TYPE.AAAA)), RCODE.noError, [v6], 60));
    expect(aaaa.answers).toMatchObject([{ type: 28, data: '2001:2::c612:2' }]);
    const ptr = asked(question('2.0.18.198.in-addr.arpa', TYPE.PTR));
    const named = readAnswer(writeAnswer(ptr, RCODE.noError, [nameOnWire('a.test')], 60));
    expect(named.answers).toMatchObject([{ type: 12, data: 'a.test' }]);
  });

  it('keeps what the client set of recursion and checking, and nothing else', () => {
    for (const [flags, kept] of [
      [0x0000, 0x8080],
      [0x0100, 0x8180],
      [0x0130, 0x8190],
      [0x07f0, 0x8190],
    ]) {
      const answer = readAnswer(writeAnswer(asked(question('a.test', 1, { flags: flags! })), RCODE.noError, [], 60));
      expect(answer.flags).toBe(kept);
    }
  });

  it('has OPT exactly when the question had it, with its DO bit and the upper bits of the code', () => {
    const plain = asked(question('a.test', 1));
    const edns = asked(question('a.test', 1, { additional: [OPT({ flags: 0xffff })] }));
    expect(readAnswer(writeAnswer(plain, RCODE.nxDomain, [], 60))).toMatchObject({ rcode: 3, opt: undefined });
    const opt = { version: 0, flags: 0x8000 };
    expect(readAnswer(writeAnswer(edns, RCODE.nxDomain, [], 60))).toMatchObject({ rcode: 3, opt });
    const later = parseQuestion(question('a.test', 1, { additional: [OPT({ version: 9 })] }));
    if (later.ok || !later.header) throw new Error('taken');
    expect(readAnswer(writeRejection(later.header, RCODE.badVers))).toMatchObject({ rcode: 16, opt: { version: 0 } });
  });

  it('of any question can be read back', () => {
    const label = fc.stringMatching(/^[A-Za-z0-9-]{1,20}$/);
    fc.assert(
      fc.property(
        fc.array(label, { maxLength: 6 }),
        fc.nat(65_535),
        fc.integer({ min: 64, max: 65_535 }),
        fc.boolean(),
        (labels, id, type, edns) => {
          const name = labels.join('.');
          const message = question(name, type, { id, additional: edns ? [OPT()] : [] });
          const answer = readAnswer(writeAnswer(asked(message), RCODE.noError, [v4, v4], 60));
          expect(answer).toMatchObject({ id, questions: [{ name, type }], opt: edns ? {} : undefined });
          expect(answer.answers).toHaveLength(2);
        },
      ),
    );
  });

  it('is never longer than its length can say', () => {
    expect(framed(new Uint8Array(65_535))).toHaveLength(65_537);
    expect(() => framed(new Uint8Array(65_536))).toThrow(RangeError);
  });
});

const v4 = Uint8Array.of(198, 18, 0, 2);

describe('a reverse name', () => {
  it.each([
    ['4.3.2.1.in-addr.arpa', '1.2.3.4'],
    ['2.0.18.198.in-addr.arpa', '198.18.0.2'],
    [`${[...'200100020000000000000000c6120002'].reverse().join('.')}.ip6.arpa`, '2001:2::c612:2'],
    ['3.2.1.in-addr.arpa', undefined],
    ['5.4.3.2.1.in-addr.arpa', undefined],
    ['04.3.2.1.in-addr.arpa', undefined],
    ['256.3.2.1.in-addr.arpa', undefined],
    ['in-addr.arpa', undefined],
    ['1.ip6.arpa', undefined],
    [`${'g.'.repeat(32)}ip6.arpa`, undefined],
    ['a.test', undefined],
  ])('%s asks about %s', (text, address) => {
    const found = addressOfReverseName(parseHostName(text) as HostName);
    expect(found && formatAddress(found)).toBe(address);
  });
});
