import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostOfLabels, textOfLabels } from '../../../../src/core/dns/asked-name.ts';
import { REJECTION, TYPE } from '../../../../src/core/dns/message.ts';
import { parseQuestion } from '../../../../src/core/dns/parse-question.ts';
import { framed, MessageStream } from '../../../../src/core/dns/stream.ts';
import { nameOnWire } from '../../../../src/core/dns/write-answer.ts';
import { MESSAGE, OPT, question } from '../../../support/dns-client.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

describe('a question', () => {
  it('is read as it stands, every byte of its name', () => {
    const parsed = parseQuestion(question('WwW.Example.TEST', TYPE.AAAA, { id: 0xbeef }));
    expect(parsed).toMatchObject({ ok: true, question: { id: 0xbeef, flags: 0x0100, type: 28, edns: undefined } });
    expect(parsed.ok && hostOfLabels(parsed.question.labels)).toBe('www.example.test');
    expect(parsed.ok && Buffer.from(parsed.question.section).toString('latin1')).toContain('\x03WwW\x07Example');
  });

  it('may come with one OPT record and any options', () => {
    const cookie = [0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
    for (const opt of [OPT(), OPT({ options: cookie }), OPT({ flags: 0x8000 })])
      expect(parseQuestion(question('a.test', 1, { additional: [opt] }))).toMatchObject({ ok: true });
    const secure = parseQuestion(question('a.test', 1, { additional: [OPT({ flags: 0x8000 })] }));
    expect(secure).toMatchObject({ question: { edns: { dnssecOk: true } } });
  });

  it('may be for the root and for a name of exactly 255 bytes', () => {
    expect(parseQuestion(question('', 2))).toMatchObject({ ok: true, question: { labels: [] } });
    expect(parseQuestion(question(LONGEST, 1))).toMatchObject({ ok: true });
  });
});

const LONGEST = [63, 63, 63, 61].map((length) => 'a'.repeat(length)).join('.');
const NAME = nameOnWire('a.test');

describe('rejected is', () => {
  it.each<[keyof typeof REJECTION, string, Uint8Array]>([
    ['too-short', 'nothing', new Uint8Array(0)],
    ['too-short', 'half a header', MESSAGE({}).slice(0, 11)],
    ['response', 'an answer', MESSAGE({ flags: 0x8180 })],
    ['opcode', 'an inverse query', MESSAGE({ flags: 0x0800 })],
    ['opcode', 'a dynamic update', MESSAGE({ flags: 0x2800 })],
    ['opcode', 'a notification of a stateful session', MESSAGE({ flags: 0x3000, counts: [0, 0, 0, 0], rest: [] })],
    ['questions', 'no question', MESSAGE({ counts: [0, 0, 0, 0], rest: [] })],
    ['questions', 'two questions', MESSAGE({ counts: [2, 0, 0, 0], rest: [...NAME, 0, 1, 0, 1, ...NAME, 0, 1, 0, 1] })],
    ['records', 'an answer section', MESSAGE({ counts: [1, 1, 0, 0] })],
    ['records', 'an authority section', MESSAGE({ counts: [1, 0, 1, 0] })],
    ['records', 'two additional records', question('a.test', 1, { additional: [OPT(), OPT()] })],
    ['records', 'an additional record that is no OPT', question('a.test', 1, { additional: [OPT({ type: 250 })] })],
    ['records', 'an OPT with a name', question('a.test', 1, { additional: [[1, 97, ...OPT()]] })],
    ['name-cut', 'a name that stops', MESSAGE({ rest: [1, 97, 3, 97] })],
    ['name-cut', 'a name without its end', MESSAGE({ rest: [1, 97] })],
    ['name-compressed', 'a pointer to itself', MESSAGE({ rest: [0xc0, 12, 0, 1, 0, 1] })],
    ['name-compressed', 'a pointer behind a label', MESSAGE({ rest: [1, 97, 0xc0, 12, 0, 1, 0, 1] })],
    ['name-compressed', 'an extended label', MESSAGE({ rest: [0x41, 97, 0, 0, 1, 0, 1] })],
    ['name-compressed', 'the kind of label that means nothing', MESSAGE({ rest: [0x80, 0, 0, 1, 0, 1] })],
    ['name-too-long', 'a name of 256 bytes', question(`${LONGEST}b`, 1)],
    ['name-too-long', 'a name of many labels', MESSAGE({ rest: [...Array(130).fill([1, 97]).flat(), 0, 0, 1, 0, 1] })],
    ['question-cut', 'a name without type and class', MESSAGE({ rest: [...NAME, 0, 1, 0] })],
    ['class', 'class CHAOS', MESSAGE({ rest: [...NAME, 0, 16, 0, 3] })],
    ['class', 'every class', MESSAGE({ rest: [...NAME, 0, 1, 0, 255] })],
    ['opt-malformed', 'an OPT that stops', question('a.test', 1, { additional: [OPT().slice(0, 8)] })],
    ['opt-malformed', 'an OPT longer than the message', question('a.test', 1, { additional: [OPT({ length: 4 })] })],
    [
      'opt-malformed',
      'options that do not fit',
      question('a.test', 1, { additional: [OPT({ options: [0, 10, 0, 9, 1] })] }),
    ],
    ['opt-version', 'a later EDNS', question('a.test', 1, { additional: [OPT({ version: 1 })] })],
    ['trailing-bytes', 'a byte too much', Buffer.concat([question('a.test', 1), bytes('x')])],
    ['trailing-bytes', 'a byte behind OPT', question('a.test', 1, { additional: [[...OPT(), 0]] })],
    ['opt-malformed', 'a record that is counted and missing', MESSAGE({ counts: [1, 0, 0, 1] })],
  ])('%s: %s', (why, _name, message) => {
    expect(parseQuestion(message)).toMatchObject({ ok: false, why });
  });

  it('for every reason of the list, with a code or with none at all', () => {
    expect(Object.values(REJECTION).filter(({ rcode }) => rcode === null)).toHaveLength(2);
  });
});

describe('any bytes', () => {
  it('are a question or a rejection, and never more than the message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (noise) => {
        const parsed = parseQuestion(noise);
        if (!parsed.ok) expect(Object.keys(REJECTION)).toContain(parsed.why);
      }),
      { numRuns: 2000 },
    );
  });

  it('that a byte changes in a question are a question or a rejection, and what is read is what stands there', () => {
    fc.assert(
      fc.property(asked, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(40), ({ message }, at, value, cut) => {
        const mutated = Uint8Array.from(message.slice(0, message.length - (cut > 30 ? cut - 30 : 0)));
        if (mutated.length > 0) mutated[at % mutated.length] = value;
        const parsed = parseQuestion(mutated);
        if (!parsed.ok) return;
        const { section, labels, type, id, flags } = parsed.question;
        const again = [...labels.flatMap((label) => [label.length, ...label]), 0, type >> 8, type & 255, 0, 1];
        expect([...section]).toEqual(again);
        expect([...mutated.slice(0, 4)]).toEqual([id >> 8, id & 255, flags >> 8, flags & 255]);
      }),
      { numRuns: 2000 },
    );
  });

  it('come out of a stream as they went in, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), fc.array(fc.nat(50)), (sent, cuts) => {
        const all = Buffer.concat(sent.map(framed));
        const stream = new MessageStream(300);
        const got: Uint8Array[] = [];
        let at = 0;
        for (const cut of [...cuts, all.length]) {
          got.push(...(stream.push(all.subarray(at, at + cut)) ?? []));
          at += cut;
        }
        expect(got.map((message) => [...message])).toEqual(sent.map((message) => [...message]));
      }),
    );
  });

  it('that announce more than a question needs end the stream', () => {
    expect(new MessageStream(512).push(Uint8Array.of(0x02, 0x01))).toBeUndefined();
    expect(new MessageStream(512).push(Uint8Array.of(0x02, 0x00))).toEqual([]);
  });
});

const asked = fc
  .record({
    name: fc.array(fc.stringMatching(/^[A-Za-z0-9-]{1,20}$/), { maxLength: 5 }).map((labels) => labels.join('.')),
    type: fc.integer({ min: 0, max: 65_535 }),
    edns: fc.boolean(),
  })
  .map(({ name, type, edns }) => ({ name, message: question(name, type, edns ? { additional: [OPT()] } : {}) }));

describe('the host of a name', () => {
  it.each([
    [['Good', 'TEST'], 'good.test'],
    [['xn--bcher-kva', 'test'], 'xn--bcher-kva.test'],
    [['localhost'], 'localhost'],
  ])('%j is %s', (labels, host) => {
    expect(hostOfLabels(labels.map(bytes))).toBe(host);
  });

  it.each([
    [['evil\0', 'good', 'test'], 'evil\\x00.good.test'],
    [['evil.good', 'test'], 'evil\\x2egood.test'],
    [['_443', '_tcp', 'test'], '_443._tcp.test'],
    [['b\xfccher', 'test'], 'bücher.test'],
    [['a b', 'test'], 'a b.test'],
    [['a%2e', 'test'], 'a%2e.test'],
    [['a/b', 'test'], 'a/b.test'],
    [['a@b', 'test'], 'a@b.test'],
    [['\x1b[2J', 'test'], '\\x1b[2J.test'],
    [['\\x2e', 'test'], '\\\\x2e.test'],
    [['-a', 'test'], '-a.test'],
    [['a-', 'test'], 'a-.test'],
    [['xn--a', 'test'], 'xn--a.test'],
    [['127', '0', '0', '1'], '127.0.0.1'],
    [['0x7f000001'], '0x7f000001'],
    [['7f', '1'], '7f.1'],
    [[], '.'],
  ])('%j is none, and shows as %s', (labels, text) => {
    expect(hostOfLabels(labels.map(bytes))).toBeUndefined();
    expect(textOfLabels(labels.map(bytes))).toBe(text);
  });

  it('of any labels is exactly these labels in lower case, or none', () => {
    const label = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 63 }),
      fc.stringMatching(/^[a-zA-Z0-9-]{1,8}$/).map(bytes),
    );
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 4 }), (labels) => {
        const host = hostOfLabels(labels);
        const plain = labels.map((one) => Buffer.from(one).toString('latin1').toLowerCase());
        if (host !== undefined) expect(host.split('.')).toEqual(plain);
        expect(textOfLabels(labels)).toMatch(/^[^\0-\x1f\x7f-\x9f]+$/);
      }),
    );
  });
});
