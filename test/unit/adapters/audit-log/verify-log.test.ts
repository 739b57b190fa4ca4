import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Trust, verifyLog } from '../../../../src/adapters/audit-log/verify-log.ts';
import { fingerprint, verifyKey } from '../../../../src/adapters/keys/public-key.ts';
import { openSigningKey } from '../../../../src/adapters/keys/signing-key.ts';
import { keyChangeEntry } from '../../../../src/core/audit/key-change.ts';
import { allowed, denied } from '../../../support/audit-chain.ts';
import { auditLogFixture } from '../../../support/audit-log-fixture.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const keys = temporaryDirectory();
const key = openSigningKey(keys);
const laterKey = openSigningKey(temporaryDirectory());
const trusted = verifyKey(key.publicKey);
/** Several files, the key changed in the middle. */
let made = '';
const notes: string[] = [];

beforeAll(async () => {
  made = temporaryDirectory();
  const log = await auditLogFixture(made, keys).open({ segmentBytes: 3000, checkpointed: (note) => notes.push(note) });
  for (let at = 0; at < 12; at++) await log.append([allowed(`/a/${at}`), denied(`/d/${at}`)]);
  await log.writeCheckpoint();
  await log.changeKey(laterKey);
  for (let at = 0; at < 12; at++) await log.append([allowed(`/b/${at}`), denied(`/e/${at}`)]);
  await log.close();
});

const copyOf = (directory: string): string => {
  const copy = `${temporaryDirectory()}/log`;
  cpSync(directory, copy, { recursive: true });
  return copy;
};
const linesOf = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n');
const writeLines = (path: string, lines: readonly string[]) =>
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
const kindsOf = async (directory: string, trust: Trust = trusted, kept: string[] = []) =>
  (await verifyLog(directory, trust, { kept: [{ holder: 'somebody', notes: kept }] })).problems.map(
    ({ seq, kind }) => `${seq} ${kind}`,
  );
const FILES = ['000001', '000002', '000003', '000004'].map((name) => `${name}.jsonl`);

describe('a log of several files and keys', () => {
  test.each<[string, () => Trust]>([
    ['the first key', () => trusted],
    ['the later key', () => verifyKey(laterKey.publicKey)],
    ['a fingerprint alone', () => ({ trusts: (one) => fingerprint(one) === laterKey.fingerprint })],
  ])('verifies with %s, and against every checkpoint that it ever had', async (_name, trust) => {
    const result = await verifyLog(made, trust(), { kept: [{ holder: 'somebody', notes }] });
    expect(result.problems).toEqual([]);
    expect(result.kept).toEqual([{ holder: 'somebody', compared: notes.length, ignored: 0, error: undefined }]);
    expect(result.keys).toHaveLength(2);
    expect(result.files).toBeGreaterThan(3);
  });

  test('does not verify with a key that is none of its own, whatever lies beside it', async () => {
    const other = openSigningKey(temporaryDirectory());
    expect(await kindsOf(made, verifyKey(other.publicKey))).toEqual(['1 key-unknown']);
  });

  test('comes to the same in every way to read it', async () => {
    for (const change of [(text: string) => text, (text: string) => text.replace('/d/7', '/d/8')]) {
      const copy = copyOf(made);
      for (const name of FILES) writeFileSync(`${copy}/${name}`, change(readFileSync(`${copy}/${name}`, 'utf8')));
      const { problems, entries } = await verifyLog(copy, trusted, { threads: 0 });
      // Threads cannot be started from sources here: what they do not come back with is done by the one that asked.
      expect(await verifyLog(copy, trusted, { threads: 2 })).toMatchObject({ problems, entries });
    }
  });

  test.each<[string, (directory: string) => void, string]>([
    ['a file taken away', (d) => rmSync(`${d}/${FILES[1]}`), '0 segment-missing'],
    ['the first file taken away', (d) => rmSync(`${d}/${FILES[0]}`), '1 segment-missing'],
    ['two files exchanged', swapFiles, 'sequence-gap'],
    ['two files joined', joinFiles, 'segment-missing'],
    ['a beginning that was dropped', (d) => changeLines(`${d}/${FILES[1]}`, (l) => l.slice(1)), 'sequence-gap'],
    ['a directory in place of a file', (d) => replaced(d, (path) => mkdirSync(path)), '0 file-odd'],
    ['a link in place of a file', (d) => replaced(d, (path, old) => symlinkSync(old, path)), '0 file-odd'],
    ['a FIFO in place of a file', (d) => replaced(d, (path) => spawnSync('mkfifo', [path])), '0 file-odd'],
  ])('names %s', async (_name, change, kind) => {
    const copy = copyOf(made);
    change(copy);
    expect((await kindsOf(copy))[0]).toContain(kind);
  });

  test('names a change of the key that the new owner did not agree to', async () => {
    const directory = temporaryDirectory();
    const log = await auditLogFixture(directory, keys).open();
    await log.append([allowed('/a')]);
    const id = JSON.parse(linesOf(`${directory}/${FILES[0]}`)[0]!).log as string;
    const [keyBefore, taken] = [key, laterKey].map(({ publicKey }) => Buffer.from(publicKey).toString('base64'));
    const change = { log: id, keyBefore: keyBefore!, key: taken!, prev: log.head.hash };
    await log.append([keyChangeEntry(change, '2026-11-21T06:00:00.123Z', key.sign)]);
    await log.close();
    expect(await kindsOf(directory)).toEqual(['3 key-change-bad']);
  });

  test('may begin later if a signed entry says so, and not otherwise', async () => {
    const directory = temporaryDirectory();
    const log = await auditLogFixture(directory, keys).open({ segmentBytes: 3000 });
    for (let at = 0; at < 20; at++) await log.append([allowed(`/a/${at}`), denied(`/d/${at}`)]);
    const last = JSON.parse(linesOf(`${directory}/${FILES[1]}`).at(-1)!).seq;
    await log.append([{ action: 'pruned', time: '2026-11-21T06:00:00.123Z', segment: 2, last, count: 2 }]);
    await log.close();
    expect(await kindsOf(directory)).toEqual([]);
    for (const name of FILES.slice(0, 2)) rmSync(`${directory}/${name}`);
    expect(await verifyLog(directory, trusted)).toMatchObject({ ok: true, first: last + 1 });
    rmSync(`${directory}/${FILES[2]}`);
    expect(await kindsOf(directory)).toContain('1 segment-missing');
  });
});

describe('what others hold', () => {
  const early = () => notes[0]!;

  test('tells a cut end and an older copy, though the log itself is sound', async () => {
    const copy = copyOf(made);
    const size = Number(early().split('\n')[1]);
    const all = FILES.flatMap((name) => linesOf(`${made}/${name}`));
    for (const name of FILES.slice(1)) rmSync(`${copy}/${name}`, { force: true });
    for (const extra of ['000005', '000006', '000007', '000008']) rmSync(`${copy}/${extra}.jsonl`, { force: true });
    writeLines(`${copy}/${FILES[0]}`, all.slice(0, size));
    writeFileSync(`${copy}/checkpoint`, early());
    expect(await kindsOf(copy)).toEqual([]);
    expect(await kindsOf(copy, trusted, notes)).toContain(`${size + 1} rolled-back`);
  });

  test('tells that the log went on in another way from an older copy', async () => {
    const [one, other] = [temporaryDirectory(), temporaryDirectory()];
    const kept: string[] = [];
    const log = await auditLogFixture(one, keys).open();
    await log.append([denied('/same')]);
    await log.writeCheckpoint();
    cpSync(one, other, { recursive: true });
    for (const [directory, taken] of [
      [one, kept],
      [other, [] as string[]],
    ] as const) {
      const branch = await auditLogFixture(directory, keys).open({ checkpointed: (note) => taken.push(note) });
      await branch.append([denied(directory)]);
      await branch.close();
    }
    expect(await kindsOf(one, trusted, kept)).toEqual([]);
    expect(await kindsOf(other, trusted, kept)).toEqual(['3 forked']);
    await log.close();
  });

  test('tells another log of the same key in its place, and nothing of logs of others', async () => {
    const another = temporaryDirectory();
    const log = await auditLogFixture(another, keys).open();
    await log.append([denied('/x')]);
    await log.close();
    expect(new Set(await kindsOf(another, trusted, notes))).toEqual(new Set(['0 log-replaced']));
    const stranger = auditLogFixture();
    await (await stranger.open()).close();
    const strangers: string[] = [];
    const theirs = await auditLogFixture().open({ checkpointed: (note) => strangers.push(note) });
    await theirs.append([denied('/x')]);
    await theirs.close();
    expect(await kindsOf(another, trusted, [...strangers, 'nonsense', ''])).toEqual([]);
  });

  test('that was edited is told', async () => {
    const edited = early().replace(/\n(\d+)\n/, (_all, size) => `\n${Number(size) - 1}\n`);
    expect(await kindsOf(made, trusted, [edited])).toHaveLength(1);
    expect((await kindsOf(made, trusted, [edited]))[0]).toContain('anchor-bad');
  });

  test('counts when a person kept it in their head: a size and a root', async () => {
    const [, size, root] = early().split('\n');
    const expected = (change: Partial<{ size: number; root: string }>) =>
      verifyLog(made, trusted, { expected: [{ holder: '--expect', size: Number(size), root: root!, ...change }] });
    expect((await expected({})).ok).toBe(true);
    expect((await expected({ size: Number(size) - 1 })).problems[0]?.kind).toBe('forked');
    expect((await expected({ size: 10_000 })).problems[0]?.kind).toBe('rolled-back');
  });
});

describe('hostile files', () => {
  test.each<[string, string | Buffer, string]>([
    ['a line without an end', Buffer.alloc(5 * 2 ** 20, 'a'), 'unparsable'],
    ['nothing but NUL bytes', Buffer.alloc(3 * 2 ** 20), 'unparsable'],
    ['nothing but newlines', Buffer.alloc(3 * 2 ** 20, '\n'), 'unparsable'],
    ['deep nesting', `${'['.repeat(500_000)}\n`, 'unparsable'],
    ['deep nesting in a member', `{"action":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}\n`, 'other-form'],
    ['a member called __proto__', '{"__proto__":{"seq":1},"action":"x"}\n', 'other-form'],
    ['numbers beyond what is safe', '{"action":"x","seq":9007199254740993}\n', 'other-form'],
    ['members twice', '{"action":"x","action":"y"}\n', 'other-form'],
    ['half of a character', Buffer.from([0x7b, 0xe2, 0x82, 0x0a]), 'unparsable'],
  ])('such as %s are told in one line, in bounded memory', async (_name, content, kind) => {
    const copy = copyOf(made);
    writeFileSync(`${copy}/${FILES[0]}`, content);
    const before = process.memoryUsage().rss;
    const { problems } = await verifyLog(copy, trusted);
    expect(problems[0]).toMatchObject({ kind, seq: 1, file: 1, line: 1 });
    expect(problems.length).toBeLessThanOrEqual(100);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
  });

  test('a checkpoint that is a directory, a socket or enormous is no checkpoint', async () => {
    const copy = copyOf(made);
    const path = `${copy}/checkpoint`;
    rmSync(path);
    mkdirSync(path);
    expect(await kindsOf(copy)).toEqual([expect.stringContaining('checkpoint-missing')]);
    rmSync(path, { recursive: true });
    writeFileSync(path, Buffer.alloc(2 ** 20, 'a'));
    expect(await kindsOf(copy)).toEqual([expect.stringContaining('checkpoint-missing')]);
    rmSync(path);
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once('listening', resolve));
    expect(await kindsOf(copy)).toEqual([expect.stringContaining('checkpoint-missing')]);
    await new Promise((resolve) => server.close(resolve));
  });

  test('a million problems are a hundred', async () => {
    const copy = copyOf(made);
    writeFileSync(`${copy}/${FILES[0]}`, 'x\n'.repeat(1_000_000));
    expect((await verifyLog(copy, trusted)).problems).toHaveLength(100);
  });

  test('names that no file of the log has are not of the log', async () => {
    const copy = copyOf(made);
    for (const name of ['0000001', '99999999999999999999', '00001', '000001.jsonl']) {
      writeFileSync(`${copy}/${name}.jsonl`, 'x\n');
    }
    expect(await kindsOf(copy)).toEqual([]);
  });

  test('thousands of files are read one after the other', async () => {
    const copy = copyOf(made);
    for (let file = 10; file < 1000; file++) writeFileSync(`${copy}/${String(file).padStart(6, '0')}.jsonl`, '');
    expect((await kindsOf(copy))[0]).toBe('0 segment-missing');
  });
});

function changeLines(path: string, change: (lines: string[]) => string[]): void {
  writeLines(path, change(linesOf(path)));
}
function swapFiles(directory: string): void {
  const [one, other] = [`${directory}/${FILES[1]}`, `${directory}/${FILES[2]}`];
  renameSync(one, `${one}.kept`);
  renameSync(other, one);
  renameSync(`${one}.kept`, other);
}
function joinFiles(directory: string): void {
  const [one, other] = [`${directory}/${FILES[0]}`, `${directory}/${FILES[1]}`];
  writeLines(one, [...linesOf(one), ...linesOf(other)]);
  rmSync(other);
}
function replaced(directory: string, put: (path: string, old: string) => void): void {
  const path = `${directory}/${FILES[1]}`;
  const old = `${temporaryDirectory()}/old`;
  copyFileSync(path, old);
  rmSync(path);
  put(path, old);
}
