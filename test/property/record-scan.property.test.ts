import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonical, parseCanonical } from '../../src/core/audit/canonical.ts';
import type { AuditFields } from '../../src/core/audit/record.ts';
import { RecordScan } from '../../src/core/audit/record-scan.ts';
import { chainOf, chainVerifier, TIME } from '../support/audit-chain.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '\b', '\f', '\n', '\r', '\t', '\0', '\x1f', '\x7f', 'é', '\u2028', '𝄞', 'u', '0'),
  }),
);
const record = fc.record(
  {
    action: fc.constantFrom('file_read', 'connection_closed', 'run_start', 'gap', 'segmen'),
    time: fc.constant(TIME),
    verdict: fc.constantFrom('allow', 'deny', 'allo'),
    target: text,
    targetBytes: text,
    target2: text,
    pid: fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -10, max: 10 })),
    simulate: fc.boolean(),
    version: text,
  },
  { requiredKeys: ['action', 'time'] },
) as fc.Arbitrary<AuditFields>;

/** What editors, transport and attackers do to a line. */
const changed = (line: string) =>
  fc
    .tuple(
      fc.nat(line.length),
      fc.nat(3),
      fc.oneof(
        fc.constantFrom(
          '',
          ' ',
          ',',
          '"',
          '\\',
          '\\u0041',
          '\\u00e9',
          '\\u001F',
          '\\/',
          '-0',
          '1e3',
          '0',
          '{',
          '}',
          '"a":1,',
          '\0',
          '\x7f',
          'é',
          'true',
          'null',
        ),
        fc.string({ maxLength: 3 }),
      ),
    )
    .map(([at, removed, added]) => `${line.slice(0, at)}${added}${line.slice(at + removed)}`);

const scans = (line: string): boolean => {
  const bytes = Buffer.from(line);
  return new RecordScan().scan(bytes, bytes.length);
};

describe('the short way through a line', () => {
  test('takes every ordinary entry that the writer makes', () => {
    fc.assert(
      fc.property(record, (fields) => {
        const [line] = chainOf([fields]);
        const isOrdinary = fields.action !== 'gap' && Math.abs(fields.pid ?? 0) < 1e15;
        expect(scans(line!)).toBe(isOrdinary);
      }),
      { numRuns: 500 },
    );
  });

  test('takes nothing that is not in canonical form', () => {
    const line = chainOf([
      { action: 'file_read', time: TIME, verdict: 'allow', pid: 12, simulate: true, target: '/é\n"' },
    ]);
    fc.assert(
      fc.property(changed(line[0]!), (other) => {
        if (!scans(other)) return;
        expect(parseCanonical(other)).toEqual(JSON.parse(other));
      }),
      { numRuns: 5000 },
    );
  });

  test('comes to the same as judging every member, whatever was done to the lines', () => {
    const lines = fc.array(record, { minLength: 2, maxLength: 4 }).map((fields) => chainOf(fields));
    const edits = lines.chain((all) =>
      fc
        .tuple(fc.constant(all), fc.nat(all.length - 1))
        .chain(([same, at]) => changed(same[at]!).map((line) => same.with(at, line))),
    );
    fc.assert(
      fc.property(edits, (all) => {
        const [quick, slow] = [chainVerifier(true), chainVerifier(false)];
        for (const line of all) {
          const [a, b] = [quick.line(Buffer.from(line)), slow.line(Buffer.from(line))];
          expect(a.kinds).toEqual(b.kinds);
          expect(a.special).toEqual(b.special);
          expect(quick.head).toEqual(slow.head);
        }
        expect(quick.signatures).toBe(slow.signatures);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['{"a":[[[1]]]}'],
    ['{"__proto__":1}'],
    ['{"seq":1,"seq":1}'],
    [canonical({ v: 1 })],
    ['{'.repeat(1000)],
    ['['.repeat(100_000)],
    [''],
  ])('leaves %.40s to others', (line) => {
    expect(scans(line)).toBe(false);
  });
});
