import { describe, expect, test } from 'vitest';
import { canonical } from '../../../../src/core/audit/canonical.ts';
import { allowed, chainOf, chainVerifier, denied, hash, problemsOf, TIME } from '../../../support/audit-chain.ts';

const chain = () =>
  chainOf([
    { action: 'daemon_start', time: TIME },
    allowed('/a'),
    denied('","verdict":"allow","x":"\n\u2028'),
    allowed('"hash":"0"'),
    denied('/.env'),
    allowed('/b'),
  ]);

const edit = (line: string, change: (record: Record<string, unknown>) => void): string => {
  const record = JSON.parse(line) as Record<string, unknown>;
  change(record);
  return canonical(record);
};
/** As an attacker without the key would: the hash is made to fit again. */
const rehash = (line: string): string =>
  edit(line, (record) => {
    const { hash: _hash, sig: _sig, ...body } = record;
    record['hash'] = hash(canonical(body));
  });

describe('the chain', () => {
  test('verifies as it was written', () => {
    const verifier = chainVerifier();
    expect(chain().flatMap((line) => verifier.line(Buffer.from(line)).kinds)).toEqual([]);
    expect(verifier).toMatchObject({ signatures: 3, head: { seq: 6 } });
  });

  test('gives one line per entry whatever a target holds', () => {
    expect(chain().every((line) => !line.includes('\n'))).toBe(true);
  });

  test('signs everything but allows', () => {
    expect(chain().map((line) => 'sig' in JSON.parse(line))).toEqual([true, false, true, false, true, false]);
  });

  test.each<[string, (lines: string[]) => string[], string[]]>([
    [
      'a changed field',
      (l) =>
        l.with(
          1,
          edit(l[1]!, (r) => Object.assign(r, { target: '/c' })),
        ),
      ['2 wrong-hash'],
    ],
    [
      'a deny turned into an allow, hash and all',
      (l) => l.with(4, rehash(edit(l[4]!, (r) => Object.assign(r, { verdict: 'allow' })))),
      ['5 signature-bad', '6 broken-link'],
    ],
    [
      'a deny turned into an allow, signature taken off',
      (l) => l.with(4, rehash(edit(l[4]!, (r) => Object.assign(r, { verdict: 'allow', sig: undefined })))),
      ['6 broken-link'],
    ],
    ['a removed allow', (l) => l.toSpliced(1, 1), ['3 sequence-gap', '3 broken-link']],
    ['a removed deny', (l) => l.toSpliced(4, 1), ['6 sequence-gap', '6 broken-link']],
    ['a removed first entry', (l) => l.slice(1), ['2 sequence-gap', '2 broken-link']],
    ['a repeated entry', (l) => l.toSpliced(2, 0, l[1]!), ['2 sequence-repeat', '2 broken-link']],
    [
      'two entries in the other order',
      (l) => [l[0]!, l[2]!, l[1]!, ...l.slice(3)],
      ['3 sequence-gap', '3 broken-link', '2 sequence-repeat', '2 broken-link', '4 sequence-gap', '4 broken-link'],
    ],
    [
      'an inserted entry',
      (l) => l.toSpliced(2, 0, ...chainOf([allowed('/x')], { seq: 2, hash: JSON.parse(l[1]!).hash })),
      ['3 sequence-repeat', '3 broken-link'],
    ],
    [
      'a stripped field',
      (l) =>
        l.with(
          2,
          edit(l[2]!, (r) => Object.assign(r, { target: undefined })),
        ),
      ['3 wrong-hash'],
    ],
    [
      'an added field',
      (l) =>
        l.with(
          1,
          edit(l[1]!, (r) => Object.assign(r, { x: 1 })),
        ),
      ['2 wrong-hash'],
    ],
    [
      'a stripped signature',
      (l) =>
        l.with(
          4,
          edit(l[4]!, (r) => Object.assign(r, { sig: undefined })),
        ),
      ['5 signature-missing'],
    ],
    [
      'a stripped hash',
      (l) =>
        l.with(
          1,
          edit(l[1]!, (r) => Object.assign(r, { hash: undefined })),
        ),
      ['2 unparsable'],
    ],
    [
      'another entry’s signature',
      (l) =>
        l.with(
          4,
          edit(l[4]!, (r) => Object.assign(r, { sig: JSON.parse(l[2]!).sig })),
        ),
      ['5 signature-bad'],
    ],
    [
      'a signature that is none',
      (l) =>
        l.with(
          4,
          edit(l[4]!, (r) => Object.assign(r, { sig: 'x' })),
        ),
      ['5 signature-bad'],
    ],
    ['a text that is no entry', (l) => l.with(1, 'rubbish'), ['2 unparsable']],
    ['an empty line', (l) => l.with(1, ''), ['2 unparsable']],
    ['white space', (l) => l.with(1, l[1]!.replace(',', ', ')), ['2 other-form']],
    [
      'an allow that is signed with another key',
      (l) =>
        l.with(
          1,
          edit(l[1]!, (r) => Object.assign(r, { sig: 'AA==' })),
        ),
      ['2 signature-bad'],
    ],
  ])('names %s', (_name, change, problems) => {
    const lines = change(chain());
    for (const quick of [true, false])
      expect(problemsOf(lines, quick).map(({ seq, kind }) => `${seq} ${kind}`)).toEqual(problems);
  });

  test('notices every single changed byte', () => {
    const text = chain().join('\n');
    for (let at = 0; at < text.length; at++) {
      const changed = `${text.slice(0, at)}${text[at] === 'x' ? 'y' : 'x'}${text.slice(at + 1)}`;
      expect(problemsOf(changed.split('\n')), `byte ${at}: ${text.slice(at - 20, at + 5)}`).not.toEqual([]);
    }
  });
});
