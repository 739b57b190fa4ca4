import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeBundle } from '../../src/adapters/audit-log/bundle.ts';
import { isSignedByKey, proveEntry, proveGrowth } from '../../src/adapters/audit-log/prove.ts';
import { listSegments } from '../../src/adapters/audit-log/segments.ts';
import { treeHasher } from '../../src/adapters/audit-log/tree-hasher.ts';
import { verifyFile } from '../../src/adapters/audit-log/verify-file.ts';
import { verifyFiles } from '../../src/adapters/audit-log/verify-files.ts';
import { verifyLog } from '../../src/adapters/audit-log/verify-log.ts';
import { fingerprint } from '../../src/adapters/keys/public-key.ts';
import { whatIsWrong } from '../../src/core/audit/check-proof.ts';
import { originOf } from '../../src/core/audit/checkpoint.ts';
import { noteLine } from '../../src/core/audit/note-line.ts';
import { parseProof } from '../../src/core/audit/proof.ts';
import { bare } from '../support/bare.ts';
import { EvidenceLog, strangersKey } from '../support/evidence-log.ts';
import type { LogCopy } from '../support/log-copy.ts';
import { useSandbox } from '../support/sandbox.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { verifyCopy } from '../support/verify-copy.ts';
import { type PythonVerdict, proofsInPython, VERIFIER, verifyInPython } from '../support/verify-in-python.ts';
import { type Made, ROWS_OF_ENTRIES } from './tamper-rows.ts';
import { ROWS_OF_CHECKPOINTS } from './tamper-rows-checkpoint.ts';
import { ROWS_OF_WHOLE } from './tamper-rows-whole.ts';

/** Log, what was done to it, and what both verifiers say. */
type Tampered = { log: LogCopy; directory: string; seq: number; python?: PythonVerdict };

const ROWS = [...ROWS_OF_ENTRIES, ...ROWS_OF_WHOLE, ...ROWS_OF_CHECKPOINTS];
const sandbox = useSandbox();
let made: Made;
const tampered = new Map<string, Tampered>();

beforeAll(async () => {
  made = { log: await EvidenceLog.of(sandbox), stranger: strangersKey() };
  const directory = temporaryDirectory();
  for (const [at, { technique, tamper }] of ROWS.entries()) {
    const log = made.log.copy();
    const seq = await tamper(log, made);
    log.save(`${directory}/${at}`);
    tampered.set(technique, { log, directory: `${directory}/${at}`, seq });
  }
  const cases = [...tampered.values()];
  const verdicts = await verifyInPython(
    cases.map(({ directory, log: { pin, anchor } }) => ({ directory, pin, anchor })),
  );
  for (const [at, one] of cases.entries()) one.python = verdicts[at]!;
});

describe('the log that is tampered with', () => {
  test('has real refusals in several files of the daemon, a change of its key, and checkpoints elsewhere', () => {
    const daemons = made.log.copy(made.log.early);
    expect(daemons.files.size).toBeGreaterThan(1);
    expect(
      daemons.records().filter(({ verdict, target }) => verdict === 'deny' && target?.endsWith('/.env')),
    ).not.toEqual([]);
    expect(
      made.log
        .copy()
        .records()
        .filter(({ action }) => action === 'key_change'),
    ).toHaveLength(1);
    expect(new Set(made.log.notes).size).toBeGreaterThan(4);
  });
});

describe('both verifiers, of a log of which', () => {
  test.each(ROWS)('$technique: $kind', async ({ technique, kind }) => {
    const { directory, log, seq, python } = tampered.get(technique)!;
    const { ok, problems } = await verifyCopy(directory, log.pin, log.anchor);
    const first = problems.slice(0, 1).map((problem) => ({ kind: problem.kind, seq: problem.seq }));
    const theirs = python!.problems.slice(0, 1).map((problem) => ({ kind: problem.kind, seq: problem.seq }));
    const expected = kind === 'sound' ? [] : [{ kind, seq }];
    expect({ ok, first, theirs, theirOk: python!.ok }).toEqual({
      ok: kind === 'sound',
      first: expected,
      theirs: expected,
      theirOk: kind === 'sound',
    });
  });
});

test('both say how many entries are behind the checkpoint', async () => {
  const { directory, log, python } = tampered.get(
    'an allow without a signature is appended behind the last checkpoint',
  )!;
  const { head, checkpoint } = await verifyCopy(directory, log.pin, log.anchor);
  expect([head.seq - checkpoint!.size, python!.behind]).toEqual([1, 1]);
  const { stdout } = await documents(directory, '--fingerprint', log.pin);
  expect(stdout).toContain('entries behind the checkpoint: 1;');
});

test('files that are checked by themselves first, as threads do, give the same problems', async () => {
  for (const { directory } of tampered.values()) {
    const files = listSegments(directory);
    const options = { trusted: undefined, watched: [], progress: () => {} };
    const ahead = async (file: number) => verifyFile(directory, file, [], options.progress);
    const inTurn = await verifyFiles(directory, files, options);
    expect(await verifyFiles(directory, files, options, ahead)).toEqual(inTurn);
  }
});

test('a checkpoint that was given as one of this log, and is of another one, is not passed over by either', async () => {
  const { directory, key } = made.log;
  const note = made.log.copy().sealed(made.stranger, { origin: originOf('1'.repeat(32)) });
  const kept = [{ holder: 'given', notes: [note] }];
  const trust = { trusts: (it: Uint8Array) => fingerprint(it) === key.fingerprint };
  expect(await verifyLog(directory, trust, { kept })).toMatchObject({ ok: true, kept: [{ ignored: 1 }] });
  const given = kept.map((one) => ({ ...one, given: true }));
  expect((await verifyLog(directory, trust, { kept: given })).problems).toMatchObject([
    { kind: 'log-replaced', seq: 0 },
  ]);
  const file = `${temporaryDirectory()}/checkpoint`;
  writeFileSync(file, note);
  const { status, stdout } = await documents(directory, ...trusted(), '--checkpoint', file);
  expect({ status, stdout }).toEqual({ status: 1, stdout: expect.stringMatching(/^entry 0: log-replaced: /) });
});

describe('proofs', () => {
  const pins = () => [made.log.firstKey.fingerprint, made.log.key.fingerprint];
  const growth = () => made.log.notes.map((note) => proveGrowth(made.log.directory, note));
  const entries = () =>
    made.log
      .copy()
      .records()
      .map(({ seq }) => proveEntry(made.log.directory, seq));

  test('of every entry, and from every checkpoint that was kept, hold for both', async () => {
    const proofs = [...entries(), ...growth()];
    expect(proofs.map((proof) => holds(proof, pins()))).toEqual(proofs.map(() => true));
    const theirs = await proofsInPython(pins(), proofs);
    expect(theirs.map((proven) => typeof proven)).toEqual(proofs.map(() => 'string'));
  });

  test('do not hold for either when any byte is changed, or for other keys', async () => {
    const proofs = [entries()[10]!, growth()[2]!].flatMap((proof) =>
      Array.from(proof, (_, at) => `${proof.slice(0, at)}${otherThan(proof[at]!)}${proof.slice(at + 1)}`),
    );
    expect(proofs.filter((proof) => holds(proof, pins()))).toEqual([]);
    expect((await proofsInPython(pins(), proofs)).filter((proven) => proven !== null)).toEqual([]);
    const others = [made.stranger.fingerprint];
    expect(growth().map((proof) => holds(proof, others))).not.toContain(true);
    expect(new Set(await proofsInPython(others, growth()))).toEqual(new Set([null]));
  });
});

describe('the verifier of the documents as a command', () => {
  test('takes the log with what the daemon gave to the holder of its checkpoints', async () => {
    const { status, stdout } = await documents(made.log.directory, ...trusted(), '--anchor', sandbox.layout.anchorFile);
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^verified: \d+ entries/) });
  });

  test('finds that the log was put back behind what the holder has', async () => {
    const copy = made.log.copy(made.log.early);
    copy.replace(copy.last);
    copy.checkpoint = copy.sealed(made.log.firstKey);
    const directory = `${temporaryDirectory()}/log`;
    copy.save(directory);
    const { status, stdout } = await documents(
      directory,
      ...trusted(made.log.firstKey),
      '--anchor',
      sandbox.layout.anchorFile,
    );
    expect({ status, stdout }).toEqual({
      status: 1,
      stdout: expect.stringMatching(new RegExp(`^entry ${copy.last + 1}: rolled-back: `)),
    });
  });

  test('compares a bundle with the anchors that lie in it', async () => {
    const target = `${temporaryDirectory()}/bundle`;
    const parts = { directory: made.log.directory, note: made.log.notes.at(-1)!, kept: [{ notes: made.log.notes }] };
    await writeBundle(target, { ...parts, images: `${sandbox.root}/none`, files: {} }, async () => {});
    expect(await documents(target, ...trusted())).toMatchObject({ status: 0 });
    writeFileSync(`${target}/anchors/2.notes`, `${new Date().toISOString()} ${noteLine(laterNote())}\n`);
    const { status, stdout } = await documents(target, ...trusted());
    expect({ status, stdout }).toEqual({ status: 1, stdout: expect.stringContaining(': rolled-back: ') });
  });

  test('says why where it cannot look', async () => {
    const { status, stderr } = await documents(`${sandbox.root}/nowhere`, ...trusted());
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('nowhere') });
  });
});

const documents = (...args: string[]) => bare(['python3', '-B', VERIFIER, ...args], { cwd: sandbox.root });
const laterNote = () => made.log.copy().sealed(made.log.key, { size: 1_000_000 });
const trusted = ({ fingerprint } = made.log.key) => ['--fingerprint', fingerprint];
const otherThan = (character: string) => (character === 'A' ? 'B' : 'A');

function holds(text: string, pins: readonly string[]): boolean {
  const proof = parseProof(text);
  const trusts = (key: string) => pins.includes(fingerprint(Buffer.from(key, 'base64')));
  return (
    proof !== undefined && whatIsWrong(proof, { hasher: treeHasher, isSignedBy: isSignedByKey, trusts }) === undefined
  );
}
