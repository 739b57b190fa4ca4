import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wellFormed } from '../../src/core/audit/byte-text.ts';
import { parseCanonical } from '../../src/core/audit/canonical.ts';
import { ChainVerifier } from '../../src/core/audit/chain-verifier.ts';
import type { AuditFields } from '../../src/core/audit/record.ts';
import { auditLogFixture } from '../support/audit-log-fixture.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { verifyCopy } from '../support/verify-copy.ts';
import { readInPython, verifyInPython } from '../support/verify-in-python.ts';

/** What names of files, commands and hosts have brought into logs elsewhere. */
const ODD = [
  '"',
  '\\',
  '","verdict":"allow"',
  '\n{"v":1}',
  '\r',
  '\0',
  '\x1b[31m',
  '\x7f',
  '\u0085',
  '\u2028',
  '\u2029',
  '\u202e',
  '\ufeff',
  '\ufffe',
  '\ud800',
  '\udfff',
  'é',
  'e\u0301',
  '😀',
  '\u{10ffff}',
  '\\u0041',
  '</script>',
];
const text = fc
  .array(fc.oneof(fc.constantFrom(...ODD), fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: 6 })
  .map((parts) => wellFormed(parts.join('')));
const number = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, -1, 1, 2 ** 53 - 1, -(2 ** 53 - 1)));
const record: fc.Arbitrary<AuditFields> = fc.record(
  {
    action: fc.constantFrom('file_read' as const, 'network' as const, 'note' as const, 'connection_closed' as const),
    time: text,
    verdict: fc.constantFrom('allow' as const, 'deny' as const),
    target: text,
    reason: text,
    command: text,
    n: number,
    status: number,
    simulate: fc.boolean(),
  },
  { requiredKeys: ['action', 'time'] },
);

describe('what the log writes', () => {
  test('is a sound log to both verifiers, which read the same in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 100, maxLength: 300 }), async (records) => {
        const fixture = auditLogFixture(temporaryDirectory());
        const log = await fixture.open();
        await log.append(records);
        await log.close();
        const { directory, fingerprint: pin } = fixture;
        const lines = linesOf(`${directory}/000001.jsonl`);
        const ours = lines.map((line) => parseCanonical(line.toString()));
        expect(ours.slice(1)).toMatchObject(records.map((fields) => JSON.parse(JSON.stringify(fields))));
        expect(await readInPython(lines)).toEqual(ours);
        const [theirs] = await verifyInPython([{ directory, pin }]);
        const { ok, entries, signatures } = await verifyCopy(directory, pin);
        expect({ ok, entries, signatures }).toEqual({ ok: true, entries: records.length + 1, signatures });
        expect(theirs).toMatchObject({ ok, entries, signatures });
      }),
      { numRuns: 4 },
    );
  });
});

/** Put into the middle of a line: much of it makes another spelling of the same, or something that only one of two readers may take. */
const SPLINTERS = [
  ...['"', '\\', ',', ':', '{', '}', '[', ']', '0', '-', '-0', '1.0', '1e2', '1E400', '00', 'null', 'true', 'NaN'],
  ...['Infinity', ' ', '\t', '\r', '\n', '\x0b', '\xa0', '\ufeff', '\0', '/', '\\/', '\\u0041', '\\u00e9', '\\u000A'],
  ...['\\u000a', '\\u001f', '\\u001F', '\\u007f', '\\ud83d\\ude00', '\\ud800', '\\x41', '"a":1,', '"v":1,', ',"z":2'],
  ...['"1":1,', '"__proto__":1,', '"constructor":1,', '[]', '{}', '9007199254740993', '1'.repeat(400), '//', '/**/'],
].map((each) => Buffer.from(each));
const splinter = fc.oneof(
  fc.constantFrom(...SPLINTERS),
  fc.uint8Array({ minLength: 1, maxLength: 2 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(
    Buffer.alloc(0),
    Buffer.of(0xed, 0xa0, 0x80),
    Buffer.of(0xc0, 0xaf),
    Buffer.of(0xf4, 0x90, 0x80, 0x80),
  ),
);
const damage = fc.record({ line: fc.nat(), at: fc.nat(), gone: fc.nat(3), splinter });

describe('a line that was tampered with', () => {
  test('is the same to both verifiers: a record, one in another form, or none', async () => {
    const fixture = auditLogFixture(temporaryDirectory());
    const log = await fixture.open();
    await log.append(fc.sample(record, 40));
    await log.close();
    const sound = linesOf(`${fixture.directory}/000001.jsonl`);
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1000, maxLength: 2000 }), async (damages) => {
        const lines = damages.map(({ line, at, gone, splinter: into }) => {
          const whole = sound[line % sound.length]!;
          const from = at % whole.length;
          return Buffer.concat([whole.subarray(0, from), into, whole.subarray(from + gone)]);
        });
        const theirs = await readInPython(lines);
        const ours = lines.map(readHere);
        const differ = lines.flatMap((line, at) =>
          nameOf(theirs[at]) === ours[at]
            ? []
            : [{ line: line.toString('latin1'), ours: ours[at], theirs: theirs[at] }],
        );
        expect(differ).toEqual([]);
      }),
      { numRuns: 4 },
    );
  });
});

function readHere(line: Buffer): string {
  const verifier = new ChainVerifier({ hash: () => '', verify: () => false });
  const [kind] = verifier.line(line, isUtf8(line)).kinds;
  return kind === 'unparsable' || kind === 'other-form' ? kind : 'a record';
}

const nameOf = (found: unknown) => (typeof found === 'string' ? found : 'a record');

function linesOf(path: string): Buffer[] {
  return readFileSync(path, 'latin1')
    .split('\n')
    .slice(0, -1)
    .map((line) => Buffer.from(line, 'latin1'));
}
