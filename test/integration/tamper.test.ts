import { beforeAll, describe, expect, test } from 'vitest';
import { bare } from '../support/bare.ts';
import { EvidenceLog, strangersKey } from '../support/evidence-log.ts';
import type { LogCopy } from '../support/log-copy.ts';
import { useSandbox } from '../support/sandbox.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { verifyCopy } from '../support/verify-copy.ts';
import { type PythonVerdict, VERIFIER, verifyInPython } from '../support/verify-in-python.ts';
import { type Made, ROWS_OF_ENTRIES } from './tamper-rows.ts';
import { ROWS_OF_WHOLE } from './tamper-rows-whole.ts';

/** Log, what was done to it, and what both verifiers say. */
type Tampered = { log: LogCopy; directory: string; seq: number; python?: PythonVerdict };

const ROWS = [...ROWS_OF_ENTRIES, ...ROWS_OF_WHOLE];
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

describe('the verifier of the documents as a command', () => {
  const run = (...args: string[]) => bare(['python3', '-B', VERIFIER, ...args], { cwd: sandbox.root, env: {} });

  test('takes the log with what the daemon gave to the holder of its checkpoints', async () => {
    const { status, stdout } = await run(made.log.directory, ...trusted(), '--anchor', sandbox.layout.anchorFile);
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^verified: \d+ entries/) });
  });

  test('finds that the log was put back behind what the holder has', async () => {
    const copy = made.log.copy(made.log.early);
    copy.replace(copy.last);
    copy.checkpoint = copy.sealed(made.log.firstKey);
    const directory = `${temporaryDirectory()}/log`;
    copy.save(directory);
    const { status, stdout } = await run(
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

  test('says why where it cannot look', async () => {
    const { status, stderr } = await run(`${sandbox.root}/nowhere`, ...trusted());
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('nowhere') });
  });
});

const trusted = ({ fingerprint } = made.log.key) => ['--fingerprint', fingerprint];
