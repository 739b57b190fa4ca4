import { beforeAll, describe, expect, test } from 'vitest';
import { EvidenceLog, strangersKey } from '../support/evidence-log.ts';
import type { LogCopy } from '../support/log-copy.ts';
import { useSandbox } from '../support/sandbox.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { verifyCopy } from '../support/verify-copy.ts';
import { type PythonVerdict, verifyInPython } from '../support/verify-in-python.ts';
import { ROWS_OF_ENTRIES } from './tamper-rows.ts';
import { ROWS_OF_WHOLE } from './tamper-rows-whole.ts';

/** Log, what was done to it, and what both verifiers say. */
type Tampered = { log: LogCopy; directory: string; seq: number; python?: PythonVerdict };

const ROWS = [...ROWS_OF_ENTRIES, ...ROWS_OF_WHOLE];
const sandbox = useSandbox();
const tampered = new Map<string, Tampered>();

beforeAll(async () => {
  const made = { log: await EvidenceLog.of(sandbox), stranger: strangersKey() };
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
