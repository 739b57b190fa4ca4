import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { bundleNotesText } from '../../../../src/adapters/audit-log/bundle-notes.ts';
import { auditReport } from '../../../../src/cli/commands/audit-report.ts';
import { auditStats } from '../../../../src/cli/commands/audit-stats.ts';
import { auditVerify } from '../../../../src/cli/commands/audit-verify.ts';
import type { AuditFields } from '../../../../src/core/audit/record.ts';
import { auditLogFixture } from '../../../support/audit-log-fixture.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

let home = '';
let file = '';
let fingerprint = '';
const time = '2026-11-21T06:00:00.000Z';
const of = (run: string, fields: Partial<AuditFields>): AuditFields => ({
  ...{ action: 'file_read', agent: run === 'one' ? 'first' : 'second', run, time },
  ...fields,
});

beforeAll(async () => {
  home = temporaryDirectory();
  file = `${home}/state/audit/000001.jsonl`;
  vi.stubEnv('GATEKEEPER_HOME', home);
  mkdirSync(`${home}/state/audit`, { recursive: true, mode: 0o700 });
  mkdirSync(`${home}/state/keys`, { mode: 0o700 });
  const fixture = auditLogFixture(`${home}/state/audit`, `${home}/state/keys`);
  fingerprint = fixture.fingerprint;
  const log = await fixture.open();
  await log.append([
    of('one', { action: 'run_create', command: 'npm test' }),
    of('one', { verdict: 'deny', target: '/p/.env', rule: 'user:p.yaml:7', count: 5 }),
    of('two', { action: 'run_create', command: 'make' }),
    of('two', { verdict: 'deny', target: '/q/secret', rule: 'user:p.yaml:8' }),
    of('one', { action: 'run_end', status: 0, count: 77 }),
    of('two', { action: 'run_end', status: 2, count: 9 }),
  ]);
  await log.close();
});

afterAll(() => vi.unstubAllEnvs());

let written = '';
beforeEach(() => {
  written = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written += text;
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

describe('audit stats', () => {
  test('adds up the whole log, and what one run left in it', async () => {
    expect(await auditStats({})).toBe(0);
    expect(written).toMatch(/^7 entries, .*B in one file, \d+ bytes an entry\n/);
    expect(written).toContain('5      file_read  /p/.env');
    expect(written).toContain('/q/secret');
    written = '';
    expect(await auditStats({ run: 'second', json: true })).toBe(0);
    expect(JSON.parse(written)).toMatchObject({ entries: 3, verdicts: { allow: 0, deny: 1 } });
    expect(written).not.toContain('/p/.env');
  });

  test('says so when there is nothing', async () => {
    expect(await auditStats({ run: 'none' })).toBe(0);
    expect(written).toBe('the log has no such entries\n');
  });
});

describe('audit report', () => {
  test('writes a page about one run and nothing of others, for its owner alone', async () => {
    const path = `${temporaryDirectory()}/page.html`;
    expect(await auditReport('first', { output: path })).toBe(0);
    const page = readFileSync(path, 'utf8');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const text of ['npm test', '/p/.env', '>5<', 'Verified: all 7 entries', 'gatekeeper/'])
      expect(page).toContain(text);
    for (const text of [fingerprint, 'nobody else that was asked']) expect(page).toContain(text);
    for (const text of ['/q/secret', 'make']) expect(page.includes(text)).toBe(false);
  });

  test('goes to standard output, by the beginning of an identifier, or about the last run', async () => {
    expect(await auditReport('tw', { output: '-', verify: false })).toBe(0);
    expect(written).toContain('/q/secret');
    written = '';
    await auditReport(undefined, { json: true });
    expect(JSON.parse(written)).toMatchObject({
      ...{ run: 'two', ended: { status: 2 } },
      verified: { ok: true, signedBy: [fingerprint], comparedWith: expect.any(Array) },
    });
  });

  test('says in it that the log was changed, and fails', async () => {
    const whole = readFileSync(file);
    writeFileSync(file, whole.toString().replace('/p/.env', '/p/.enw'));
    try {
      expect(await auditReport('first', { output: '-' })).toBe(1);
      expect(written).toContain('The log does NOT verify: entry 3');
    } finally {
      writeFileSync(file, whole);
    }
  });

  test('says in it that the log was put back to before what somebody else has seen of it', async () => {
    const paths = [file, `${home}/state/audit/checkpoint`];
    const earlier = paths.map((path) => readFileSync(path));
    const log = await auditLogFixture(`${home}/state/audit`, `${home}/state/keys`).open();
    await log.append([of('one', { verdict: 'deny', target: '/p/later' })]);
    await log.close();
    mkdirSync(`${home}/config`, { mode: 0o700 });
    const seen = bundleNotesText([readFileSync(paths[1]!, 'utf8')], [time]);
    writeFileSync(`${home}/config/audit.anchor`, seen, { mode: 0o600 });
    for (const [at, path] of paths.entries()) writeFileSync(path, earlier[at]!);
    try {
      expect(await auditReport('first', { output: '-' })).toBe(1);
      expect(written).toContain('The log does NOT verify: entry 8: ');
      expect(written).toMatch(/audit\.anchor: 1 checkpoint compared/);
    } finally {
      rmSync(`${home}/config`, { recursive: true });
    }
  });

  test('of a run that is not there, or to a place that is not there, is an error', async () => {
    await expect(auditReport('none', {})).rejects.toMatchObject({ code: 'GK_RUN_NOT_FOUND' });
    const nowhere = `${temporaryDirectory()}/none/page.html`;
    await expect(auditReport('first', { output: nowhere })).rejects.toMatchObject({ code: 'GK_OUTPUT' });
  });
});

describe('audit verify', () => {
  test('of a directory without a log is an error, not well', async () => {
    const log = temporaryDirectory();
    await expect(auditVerify({ log })).rejects.toMatchObject({ code: 'GK_AUDIT_MISSING', where: log });
    await expect(auditVerify({ log: `${log}/none` })).rejects.toMatchObject({ code: 'GK_AUDIT_MISSING' });
    expect(written).toBe('');
  });
});
