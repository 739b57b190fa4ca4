import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { auditLogFixture } from '../support/audit-log-fixture.ts';
import { allowed, refused } from '../support/evidence-log.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { verifyCopy } from '../support/verify-copy.ts';
import { type Damage, damageInPython, verifyInPython, verifyWithCommand } from '../support/verify-in-python.ts';

const FILE = '000001.jsonl';
const directory = `${temporaryDirectory()}/log`;
const fixture = auditLogFixture(temporaryDirectory());
const pin = fixture.fingerprint;
let whole: Buffer;
let lines: string[];

/** A short log, with all that a record can have in it. */
beforeAll(async () => {
  const log = await fixture.open();
  await log.append([allowed('/p/é\u2028"\\\u0007'), refused('/p/.env'), { ...refused('/q'), simulate: true, n: 7 }]);
  await log.close();
  cpSync(fixture.directory, directory, { recursive: true });
  whole = readFileSync(`${directory}/${FILE}`);
  lines = whole.toString().split('\n').slice(0, -1);
});

describe('the last record', () => {
  test('is missed by both verifiers when the log is cut at any of its bytes', async () => {
    const from = whole.length - Buffer.byteLength(`${lines.at(-1)}\n`);
    const damages = Array.from({ length: whole.length - from }, (_, at) => ({ size: from + at }));
    const expected = damages.map((_, at) => [at === 0 ? 'tail-cut' : 'torn-tail', lines.length]);
    expect(await damageInPython(copy(FILE), damages)).toEqual(expected);
    expect(await inTypeScript(FILE, damages)).toEqual(expected);
  });
});

describe('a byte that is changed', () => {
  test('is found by both verifiers wherever it is, and called the same', async () => {
    const damages = flips(FILE);
    const found = await inTypeScript(FILE, damages);
    expect(damages.filter((_, at) => found[at] === null)).toEqual([]);
    const sampled = damages.filter(({ at }) => at % 11 === 0);
    const theirs = await damageInPython(copy(FILE), sampled);
    expect(sampled.map((damage, at) => ({ damage, found: theirs[at] }))).toEqual(
      sampled.map((damage) => ({ damage, found: found[damage.at] })),
    );
  });

  test('is found in the checkpoint too', async () => {
    const damages = flips('checkpoint');
    const found = await inTypeScript('checkpoint', damages);
    expect(new Set(found.map((first) => first?.[0]))).toEqual(new Set(['checkpoint-missing', 'checkpoint-differs']));
    expect(await damageInPython(copy('checkpoint'), damages)).toEqual(found);
  });
});

describe('the verifier of the documents', () => {
  test('does the same with the command openssl where the library is not there', async () => {
    const changed = copy(FILE).directory;
    const text = readFileSync(`${changed}/${FILE}`, 'utf8');
    writeFileSync(`${changed}/${FILE}`, text.replace(/"sig":".../, '"sig":"AAA'));
    const cases = [directory, changed].map((each) => ({ directory: each, pin }));
    const found = await verifyWithCommand(cases);
    expect(found.map(({ problems }) => problems.map(({ kind }) => kind))).toEqual([
      [],
      ['signature-bad', 'checkpoint-differs'],
    ]);
    expect(found).toEqual(await verifyInPython(cases));
  });
});

/** Another byte at every place, mostly one that is text as well. */
const flips = (file: string) =>
  Array.from(readFileSync(`${directory}/${file}`), (byte, at) => ({ at, byte: byte ^ (1 << (at % 7)) }));

/** Of the log, to damage that file of it. */
function copy(file: string) {
  const made = `${temporaryDirectory()}/log`;
  cpSync(directory, made, { recursive: true });
  return { directory: made, pin, file };
}

/** As `damageInPython`. Several at a time, since an unfinished line is waited for. */
async function inTypeScript(file: string, damages: readonly Damage[]): Promise<([string, number] | null)[]> {
  const found: ([string, number] | null)[] = [];
  const sound = readFileSync(`${directory}/${file}`);
  const lanes = Array.from({ length: LANES }, () => copy(file).directory);
  for (let from = 0; from < damages.length; from += LANES) {
    const batch = damages.slice(from, from + LANES).map(async (damage, lane) => {
      writeFileSync(`${lanes[lane]}/${file}`, damaged(sound, damage));
      const [first] = (await verifyCopy(lanes[lane]!, pin)).problems;
      return first === undefined ? null : ([first.kind, first.seq] as [string, number]);
    });
    found.push(...(await Promise.all(batch)));
  }
  return found;
}

function damaged(sound: Buffer, damage: Damage): Buffer {
  const bytes = Buffer.from(sound);
  if ('size' in damage) return bytes.subarray(0, damage.size);
  bytes[damage.at] = damage.byte;
  return bytes;
}

const LANES = 50;
