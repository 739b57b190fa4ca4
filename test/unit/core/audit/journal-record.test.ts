import { describe, expect, test } from 'vitest';
import { imageName, journalRecord, type RunContext, shellStatus } from '../../../../src/core/audit/journal-record.ts';
import { encodeFrame, type Frame, parseFrame } from '../../../../src/core/wire/frame.ts';
import { decisionFrame, runEndFrame, runStartFrame, TIME_NS } from '../../../support/journal-file.ts';

const context: RunContext = {
  run: 'r1',
  agent: 'claude',
  policy: 'sha256:aa',
  rule: (index) => (index === 3 ? { label: 'user:policy.yaml:7', reason: 'secrets stay here' } : undefined),
};
const receipt = (bytes: Uint8Array) => journalRecord(parseFrame(bytes) as Frame, context);

describe('the receipt for a journal record', () => {
  test('names the rule, its reason and the call', () => {
    expect(receipt(decisionFrame(17n, '/p/.env', 1, 3))).toMatchObject({
      action: 'file_read',
      agent: 'claude',
      n: 17,
      pid: 412,
      policy: 'sha256:aa',
      program: '/usr/bin/cat',
      reason: 'secrets stay here',
      rule: 'user:policy.yaml:7',
      run: 'r1',
      source: 'rule',
      syscall: 'openat',
      target: '/p/.env',
      time: '2026-11-21T06:00:00.123Z',
      verdict: 'deny',
    });
  });

  test('still names a rule whose image is gone', () => {
    expect(receipt(decisionFrame(1n, '/x', 1, 9))).toMatchObject({ rule: 'rule 9' });
  });

  test('keeps a target that is not UTF-8', () => {
    expect(receipt(decisionFrame(1n, Uint8Array.of(0x2f, 0xff), 0))).toMatchObject({
      target: '/\\xff',
      targetBytes: 'L/8=',
    });
  });

  test('calls a connection’s target its destination', () => {
    const TARGET = Buffer.from('1.2.3.4');
    const frame = encodeFrame('DECISION', { TIME_NS, ACTION: 4, VERDICT: 2, SOURCE: 1, TARGET, PORT: 443 }, 1n);
    expect(receipt(frame)).toMatchObject({
      action: 'network',
      destination: '1.2.3.4',
      port: 443,
      verdict: 'would-deny',
    });
  });

  test('takes secrets out of a command, and the bytes that would tell them', () => {
    const COMMAND = Buffer.from([...Buffer.from('curl --token=abc '), 0xff]);
    const made = receipt(encodeFrame('DECISION', { TIME_NS, ACTION: 3, VERDICT: 0, SOURCE: 0, COMMAND }, 1n));
    expect(made).toMatchObject({ command: 'curl --token=[redacted] \\xff' });
    expect(made).not.toHaveProperty('commandBytes');
  });

  test('never reads an unknown verdict as an allow', () => {
    const frame = encodeFrame('DECISION', { TIME_NS, ACTION: 99, VERDICT: 77, SOURCE: 55 }, 1n);
    expect(receipt(frame)).toMatchObject({ action: 'action-99', verdict: 'deny', source: 'internal' });
  });

  test.each<[bigint | undefined, string]>([
    [0n, 'ok'],
    [2n, 'ENOENT'],
    [24n, 'EMFILE'],
    [111n, 'ECONNREFUSED'],
    [11n, 'EAGAIN'],
    [510n, '510'],
    [undefined, 'failed'],
  ])('tells what became of a call: %s is %s', (ERRNO, result) => {
    const made = receipt(encodeFrame('RESULT', { TIME_NS, OF: 3n, ERRNO }, 8n));
    const expected = { action: 'result', n: 8, of: 3, result, run: 'r1', agent: 'claude' };
    expect(made).toEqual({ ...expected, time: '2026-11-21T06:00:00.123Z' });
  });

  test('of a grant names who gave it and when', () => {
    const by = { grant: 'a1', approver: 'me', answered: '2026-11-21T05:00:00.000Z' };
    const frame = parseFrame(decisionFrame(1n, '/x', 0, 0)) as Frame;
    const made = journalRecord(frame, { ...context, rule: () => ({ label: 'grants:a1', reason: 'granted', by }) });
    expect(made).toMatchObject({ verdict: 'allow', rule: 'grants:a1', ...by });
  });

  test('a run’s start carries the image it started with', () => {
    const made = receipt(runStartFrame(1n, new Uint8Array(32).fill(0xab)));
    expect(made).toMatchObject({ action: 'run_start', policy: `sha256:${'ab'.repeat(32)}`, command: 'cat', cwd: '/p' });
  });

  test('a denial and a start name the weaker level, and the start what holds there', () => {
    const ENFORCE = Buffer.from('hook');
    const refusal = encodeFrame('DECISION', { TIME_NS, ACTION: 0, VERDICT: 1, SOURCE: 0, ENFORCE }, 1n);
    expect(receipt(refusal)).toMatchObject({ verdict: 'deny', enforce: 'hook' });
    const start = encodeFrame('RUN_START', { TIME_NS, ENFORCE, TEXT: Buffer.from('hook; no Landlock') }, 1n);
    expect(receipt(start)).toMatchObject({ action: 'run_start', enforce: 'hook', text: 'hook; no Landlock' });
  });

  test('a run’s end carries the status as a shell says it', () => {
    expect(receipt(runEndFrame(5n, 3 << 8))).toMatchObject({ action: 'run_end', status: 3, count: 5 });
    expect([shellStatus(9n), shellStatus(137n), shellStatus(0n)]).toEqual([137, 137, 0]);
  });

  test('a frame of the channel gives none', () => {
    expect(receipt(encodeFrame('KICK', {}))).toBeUndefined();
  });
});

test('an image is named by its digest, whatever becomes of the memory that the digest lay in', () => {
  const memory = Buffer.alloc(32, 0xab);
  const named = `sha256:${'ab'.repeat(32)}`;
  expect(imageName(memory)).toBe(named);
  expect(imageName(memory)).toBe(named);
  memory[31] = 0x0c;
  expect(imageName(memory)).toBe(`sha256:${'ab'.repeat(31)}0c`);
  expect(imageName(Buffer.alloc(32, 0xab))).toBe(named);
});
