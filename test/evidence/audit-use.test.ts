import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AuditLog } from '../../src/adapters/audit-log/audit-log.ts';
import { listSegments, segmentPath } from '../../src/adapters/audit-log/segments.ts';
import { sha256 } from '../../src/adapters/policy-files/digest.ts';
import { loadPolicy } from '../../src/adapters/policy-files/load-policy.ts';
import { runProgram } from '../../src/cli/program.ts';
import type { AuditFields, AuditRecord } from '../../src/core/audit/record.ts';
import { auditLogFixture } from '../support/audit-log-fixture.ts';
import { plainEnvironment } from '../support/bare.ts';
import { GATEKEEPER, useSandbox } from '../support/sandbox.ts';
import { Collector } from '../support/servers/collector.ts';

/** A log that the product's own writer wrote, in three files, and a collector; no daemon is needed to read the one or to fill the other. */
const sandbox = useSandbox();
const collector = new Collector();
const RUN = '01m7zspbrkjvmy12v3d11rv8yq';
const OTHER = '01m7zspbrkjvmy12v3d11rv8yz';
let log: AuditLog;
let policy: string;

beforeAll(async () => {
  const { layout, home, project } = sandbox;
  for (const directory of [layout.audit, layout.keys, layout.images, layout.config])
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  vi.stubEnv('GATEKEEPER_HOME', home);
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', '');
  const rules =
    'version: 1\nname: mine\nextends: [default]\npolicies:\n  - action: file_read\n    rules:\n      - { path: "**/*.key", effect: deny, reason: keys stay here }\n';
  writeFileSync(layout.userPolicy, rules);
  const { image } = loadPolicy({ layout, passwdHome: '/nonexistent', uid: process.getuid!(), cwd: project });
  policy = `sha256:${sha256(image)}`;
  writeFileSync(`${layout.images}/${sha256(image)}.gkimg`, image);
  await collector.start();
  log = await auditLogFixture(layout.audit, layout.keys).open({ segmentBytes: 4000 });
  for (const some of [runStart(), MANY.slice(0, 10), MANY.slice(10, 20), MANY.slice(20)]) await log.append(some);
  await log.writeCheckpoint();
});
beforeEach(() => collector.forget());
afterAll(async () => {
  await log?.close();
  collector.close();
  vi.unstubAllEnvs();
});

const at = (seconds: number): string => new Date(Date.UTC(2026, 10, 21, 6, 0, seconds)).toISOString();
const runStart = (): AuditFields[] => [
  { action: 'run_create', time: at(0), run: RUN, agent: 'claude', policy },
  {
    action: 'run_start',
    time: at(0),
    run: RUN,
    agent: 'claude',
    n: 1,
    command: 'claude --fast',
    cwd: sandbox.project,
    policy,
    enforce: 'kernel',
  },
  {
    ...{
      action: 'file_read',
      time: at(1),
      run: RUN,
      agent: 'claude',
      n: 2,
      verdict: 'deny',
      source: 'rule',
      rule: 'user:policy.yaml:7',
      reason: 'keys stay here',
    },
    ...{
      target: `${sandbox.project}/a\nb.key`,
      program: '/usr/bin/cat',
      pid: 412,
      tid: 412,
      syscall: 'openat',
      policy,
      count: 3,
      until: at(4),
    },
  },
  {
    ...{
      action: 'network',
      time: at(5),
      run: RUN,
      agent: 'claude',
      verdict: 'deny',
      source: 'default',
      reason: 'no-rule',
      destination: 'api.example',
      port: 443,
    },
    ...{ via: 'transparent', known: 'dns', program: '/usr/bin/curl', pid: 413, policy },
  },
  {
    action: 'file_write',
    time: at(6),
    run: RUN,
    agent: 'claude',
    n: 3,
    verdict: 'allow',
    source: 'rule',
    target: '/p/x',
    program: '/usr/bin/sh',
    pid: 1,
    policy,
  },
  { action: 'result', time: at(6), run: RUN, n: 4, of: 3, result: 'ENOSPC' },
];
const MANY: AuditFields[] = Array.from({ length: 30 }, (_, n) => ({
  action: n % 3 === 0 ? 'file_read' : 'shell_exec',
  time: at(10 + n),
  run: OTHER,
  agent: 'other',
  n: n + 1,
  verdict: n % 10 === 0 ? 'would-deny' : 'allow',
  target: `/p/${n}`,
  command: n % 3 === 0 ? undefined : `git push ${n}`,
}));

/** What a verb prints, done in this process: a program for each would take most of the time. */
async function audit(...args: string[]): Promise<{ status: number; stdout: string }> {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    const status = await runProgram(['audit', ...args]);
    return { status, stdout: written.mock.calls.map(([text]) => text).join('') };
  } finally {
    written.mockRestore();
  }
}

const wholeLog = (): string =>
  listSegments(sandbox.layout.audit)
    .map((segment) => readFileSync(segmentPath(sandbox.layout.audit, segment), 'utf8'))
    .join('');
const records = (text: string): AuditRecord[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as AuditRecord);

/** The program as it is built, which goes on until it is told to end. */
function following(...args: string[]): { child: ChildProcessWithoutNullStreams; lines: AsyncIterator<string> } {
  const child = spawn(process.execPath, [GATEKEEPER, 'audit', ...args], {
    env: { ...plainEnvironment(), ...sandbox.env },
  });
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

async function interrupted(child: ChildProcessWithoutNullStreams): Promise<number | null> {
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  return (await ended)[0] as number | null;
}

describe('audit tail', () => {
  it.each([
    ['the last ones', ['-n', '2'], [28, 29]],
    ['of a run, by name', ['--run', 'claude', '--action', 'network'], ['api.example']],
    ['of the latest run', ['--run', 'last', '--denied', '-n', '1'], ['api.example']],
    [
      'of several verdicts and one action',
      ['--verdict', 'would-deny', '--verdict', 'deny', '--action', 'file_read'],
      ['a\nb.key', 0],
    ],
    ['of a target', ['--target', '*.example:443'], ['api.example']],
    ['of a command', ['--target', 'git push 1?', '-n', '3'], [16, 17, 19]],
    ['since a time', ['--since', '2026-11-21T06:00:37Z', '--run', 'other'], [27, 28, 29]],
  ])('prints %s', async (_name, options, expected) => {
    const { stdout } = await audit('tail', '--json', ...options);
    const found = records(stdout).map(({ target, destination }) => destination ?? target);
    expect(found).toEqual(
      expected.map((each) =>
        typeof each === 'number' ? `/p/${each}` : each === 'api.example' ? each : join(sandbox.project, each),
      ),
    );
    for (const line of stdout.split('\n').filter(Boolean)) expect(wholeLog()).toContain(`${line}\n`);
  });

  it('goes on over files that begin meanwhile, and ends with 0 when it is interrupted', async () => {
    const { child, lines } = following('tail', '-f', '-n', '1', '--json', '--run', OTHER);
    const next = async (): Promise<string> =>
      (JSON.parse((await lines.next()).value as string) as AuditRecord).target ?? '';
    expect(await next()).toBe('/p/29');
    const before = listSegments(sandbox.layout.audit).length;
    for (let n = 30; n < 36; n++) {
      await log.append([
        { ...MANY[0]!, n, target: `/p/${n}`, text: 'x'.repeat(1500) },
        { ...MANY[0]!, run: RUN, n, target: '/of/another' },
      ]);
      expect(await next()).toBe(`/p/${n}`);
    }
    expect(listSegments(sandbox.layout.audit).length).toBeGreaterThan(before);
    expect(await interrupted(child)).toBe(0);
  });

  it('ends quietly when nobody reads on', async () => {
    const { child, lines } = following('tail', '-f', '-n', '1', '--json');
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += String(chunk);
    });
    await lines.next();
    child.stdout.destroy();
    const ended = once(child, 'exit');
    await log.append([{ ...MANY[0]!, n: 90 }]);
    expect([(await ended)[0], said]).toEqual([0, '']);
  });
});

describe('audit show', () => {
  const seqOf = (action: string): string =>
    String(records(wholeLog()).find((record) => record.run === RUN && record.action === action)?.seq);
  const show = async (which: string): Promise<string> => (await audit('show', which)).stdout;

  it('says of a refused read which rule refused it, where that stands, and how to allow it', async () => {
    const text = await show(seqOf('file_read'));
    expect(text).toContain(`deny  file_read ${sandbox.project}/a\\x0ab.key\n`);
    expect(text).toMatch(/^rule +user:policy\.yaml:7 deny \*\*\/\*\.key: keys stay here\n +at .*policy\.yaml:7$/m);
    expect(text).toMatch(/^by +\/usr\/bin\/cat, process 412, openat$/m);
    expect(text).toMatch(/^run +claude \(01m7zspbrkjvmy12v3d11rv8yq\), enforced by kernel\n +claude --fast {2}in /m);
    expect(text).toMatch(/^when .*; 3 times in 3\.0s, last /m);
    expect(text).toMatch(
      /^to allow +change user:policy\.yaml:7, or put beside it .*a\\nb\.key", effect: allow, override: true }$/m,
    );
    expect(text).toMatch(/^proof +the hash fits; signed by the key of this user; within the checkpoint of \d+$/m);
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
  });

  it('says of a refused connection how its name was known, and the command that allows it', async () => {
    const text = await show(seqOf('network'));
    expect(text).toMatch(/^address +connected to directly; name from the address that stands for it in this run$/m);
    expect(text).toMatch(/^verdict +deny by the default, since no rule matched$/m);
    expect(text).toMatch(/^to allow +gatekeeper net allow api\.example:443$/m);
  });

  it('says how a call ended that was allowed', async () => {
    expect(await show(seqOf('file_write'))).toMatch(/^result +it ended with ENOSPC$/m);
  });

  it('says so where a rule’s file is another by now', async () => {
    const before = readFileSync(sandbox.layout.userPolicy);
    writeFileSync(sandbox.layout.userPolicy, 'version: 1\nname: other\npolicies: []\n');
    const text = await show(seqOf('file_read'));
    writeFileSync(sandbox.layout.userPolicy, before);
    expect(text).toMatch(/^rule .*keys stay here\n +at the file is not what it was then$/m);
  });

  it('finds the last entry, and the last that was denied', async () => {
    expect(
      (JSON.parse((await audit('show', 'denied', '--json')).stdout) as { record: AuditRecord }).record.verdict,
    ).toMatch(/deny/);
    await expect(audit('show', '99999')).rejects.toMatchObject({ code: 'GK_AUDIT_ENTRY' });
    await expect(audit('show', 'first')).rejects.toMatchObject({ code: 'GK_USAGE' });
  });

  it('finds the last of one run', async () => {
    const last = async (run: string) =>
      (JSON.parse((await audit('show', 'last', '--run', run, '--json')).stdout) as { record: AuditRecord }).record.run;
    expect([await last(RUN), await last(OTHER)]).toEqual([RUN, OTHER]);
    await expect(audit('show', 'denied', '--run', 'none')).rejects.toMatchObject({ code: 'GK_AUDIT_ENTRY' });
    await expect(audit('show', '3', '--run', RUN)).rejects.toMatchObject({ code: 'GK_USAGE' });
  });

  it('says what an entry of the log itself is', async () => {
    expect(await show('1')).toMatch(/^what +the first entry of a log: its identifier and its first key$/m);
  });
});

describe('audit export', () => {
  it('gives the lines byte for byte', async () => {
    const file = join(sandbox.root, 'copy.jsonl');
    expect((await audit('export', '-o', file)).status).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(wholeLog());
  });

  it.each(['ocsf', 'cef'])('gives a line of %s for each entry that is wanted', async (format) => {
    const { stdout, status } = await audit('export', '--format', format, '--run', RUN, '--denied');
    expect([stdout.match(/\n/g)?.length, status]).toEqual([2 + 6, 0]);
  });

  it.each([
    ['a bundle of a part', ['--bundle', '/nonexistent/b', '--header-file', 'x'], /--header-file does not go with it/],
    ['a bundle in a form', ['--bundle', '/nonexistent/b', '--format', 'cef'], /--format does not go with it/],
    ['headers for a file', ['--header', 'x=1'], /nothing is sent/],
  ])('refuses %s', async (_name, options, what) => {
    await expect(audit('export', ...options)).rejects.toMatchObject({
      code: 'GK_USAGE',
      what: expect.stringMatching(what),
    });
  });

  it('says in few words why a file cannot be written', async () => {
    await expect(audit('export', '-o', join(sandbox.root, 'none', 'x'))).rejects.toMatchObject({
      what: 'the file cannot be written: its directory does not exist',
    });
  });

  it('exits with 1 where the log has lines that are no entries', async () => {
    const copy = join(sandbox.root, 'copy');
    mkdirSync(copy);
    writeFileSync(segmentPath(copy, 1), `${wholeLog()}garbage\n`);
    expect((await audit('export', '--log', copy)).status).toBe(1);
  });

  it('sends everything to a collector once, in requests that it can take, with the headers that are given', async () => {
    collector.answers.push({ status: 503, headers: { 'retry-after': '0' } });
    collector.most = 20;
    const cursor = join(sandbox.root, 'cursor');
    const send = () =>
      audit('export', '--format', 'otlp', '--to', collector.url, '--header', 'x-key=1', '--cursor', cursor);
    expect((await send()).status).toBe(0);
    const lines = collector.logs.map(({ attributes }) => attributes['log.record.original']);
    expect(`${lines.join('\n')}\n`).toBe(wholeLog());
    expect(collector.faults).toEqual([]);
    expect(collector.requests.map(({ headers }) => headers['x-key'])).toContain('1');
    collector.forget();
    await log.append([{ ...MANY[0]!, n: 91, target: '/p/new' }]);
    expect((await send()).status).toBe(0);
    expect(collector.logs.map(({ body }) => body)).toEqual(['would-deny file_read /p/new']);
  });

  it('goes on from where a receiver stopped taking them', async () => {
    const cursor = join(sandbox.root, 'stopped');
    const send = () => audit('export', '--format', 'otlp', '--to', collector.url, '--cursor', cursor);
    collector.answers.push({ status: 400, body: '{"message":"not these"}' });
    await expect(send()).rejects.toMatchObject({ code: 'GK_EXPORT', message: expect.stringContaining('not these') });
    expect((await send()).status).toBe(0);
    expect(collector.logs).toHaveLength(records(wholeLog()).length);
  });

  it('exits with 1 when the collector rejects some', async () => {
    collector.answers.push({ body: '{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"no"}}' });
    expect((await audit('export', '--format', 'otlp', '--to', collector.url, '--run', 'claude')).status).toBe(1);
  });

  it('follows the log, and after a restart neither loses nor repeats', async () => {
    const options = ['export', '--format', 'otlp', '--to', collector.url, '--follow', '--action', 'note'];
    const note = (text: string): Promise<unknown> => log.append([{ action: 'note', time: at(99), text }]);
    const bodies = (): string[] => collector.logs.map(({ body }) => body);
    await note('one');
    const first = following(...options);
    await vi.waitFor(() => expect(bodies()).toEqual(['note one']), PATIENT);
    await note('two');
    await vi.waitFor(() => expect(bodies()).toEqual(['note one', 'note two']), PATIENT);
    expect(await interrupted(first.child)).toBe(0);
    await note('three');
    const second = following(...options);
    await vi.waitFor(() => expect(bodies()).toEqual(['note one', 'note two', 'note three']), PATIENT);
    expect(await interrupted(second.child)).toBe(0);
  });
});

it('a completion offers the latest runs of the log, and nothing that a shell would act on', async () => {
  const time = new Date().toISOString();
  await log.append([
    { action: 'run_create', time, run: '01new', agent: 'fresh' },
    { action: 'run_create', time, run: '01odd', agent: '$(reboot)' },
  ]);
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  expect(await runProgram(['completion', 'runs'])).toBe(0);
  const words = written.mock.calls.map(([text]) => String(text).trim());
  written.mockRestore();
  expect(words.slice(0, 4)).toEqual(['last', '01odd', 'fresh', '01new']);
});

const PATIENT = { timeout: 20_000, interval: 10 };
