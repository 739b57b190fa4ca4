import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { findRecord, followRecords, readRecords, tailRecords } from '../../../../src/adapters/audit-log/read.ts';
import { recoverLog } from '../../../../src/adapters/audit-log/recovery.ts';
import { allowed, denied } from '../../../support/audit-chain.ts';
import { auditLogFixture } from '../../../support/audit-log-fixture.ts';

const several = Array.from({ length: 10 }, (_, at) => (at % 3 === 0 ? denied(`/${at}`) : allowed(`/${at}`)));

async function written(records = several) {
  const fixture = auditLogFixture();
  const log = await fixture.open();
  await log.append(records);
  await log.close();
  return { ...fixture, file: `${fixture.directory}/000001.jsonl` };
}

describe('the audit log', () => {
  test('verifies as it was written, over many openings', async () => {
    const fixture = auditLogFixture();
    for (let round = 0; round < 3; round++) {
      const log = await fixture.open();
      await Promise.all([log.append(several), log.append([allowed('/x')])]);
      await log.close();
    }
    expect(await fixture.verify()).toMatchObject({
      ok: true,
      entries: 34,
      signatures: 13,
      losses: [],
      head: { seq: 34 },
    });
  });

  test('keeps the order of large batches and small ones that come meanwhile', async () => {
    const fixture = auditLogFixture();
    const log = await fixture.open();
    const many = Array.from({ length: 1000 }, (_, at) => allowed(`/large/${at}`));
    const appended = [log.append(many), log.append([denied('/small/0')])];
    await new Promise(setImmediate);
    appended.push(log.append([denied('/small/1')]), log.append(many), log.append([denied('/small/2')]));
    const heads = await Promise.all(appended);
    await log.close();
    expect(heads.at(-1)?.seq).toBe(2004);
    expect(await fixture.verify()).toMatchObject({ ok: true, entries: 2004 });
    expect([1002, 1003, 2004].map((seq) => findRecord(fixture.directory, seq)?.['target'])).toEqual([
      '/small/0',
      '/small/1',
      '/small/2',
    ]);
  });

  test('is empty and sound before anything was written', async () => {
    expect(await auditLogFixture().verify()).toMatchObject({ ok: true, entries: 0 });
  });

  test('continues in the next file with the chain unbroken', async () => {
    const fixture = auditLogFixture();
    const log = await fixture.open({ segmentBytes: 1000 });
    for (const record of several) await log.append([record]);
    await log.close();
    const { ok, entries } = await fixture.verify();
    const files = readdirSync(fixture.directory).filter((name) => name.endsWith('.jsonl'));
    expect({ ok, entries }).toEqual({ ok: true, entries: several.length + files.length });
    for (const [at, name] of files.entries()) {
      const first = JSON.parse(readFileSync(`${fixture.directory}/${name}`, 'utf8').split('\n')[0]!);
      expect(first).toMatchObject(at === 0 ? { action: 'log_start' } : { action: 'segment', segment: at + 1 });
    }
    const again = await fixture.open({ segmentBytes: 1000 });
    await again.append([allowed('/y')]);
    await again.close();
    const end = (await fixture.verify()).entries;
    expect(tailRecords(fixture.directory, 4).map(({ seq }) => seq)).toEqual([end - 3, end - 2, end - 1, end]);
    expect(tailRecords(fixture.directory, 1)).toMatchObject([{ target: '/y' }]);
    expect(findRecord(fixture.directory, 3)).toMatchObject({ target: '/1' });
    expect([...readRecords(fixture.directory, end - 1)].flat().map(({ seq }) => seq)).toEqual([end - 1, end]);
  });

  test('signs where it stands when asked, and what comes in the meantime soon after', async () => {
    const fixture = auditLogFixture();
    const log = await fixture.open();
    await log.append(several);
    const signing = log.writeCheckpoint();
    await log.append([allowed('/meanwhile')]);
    await signing;
    expect((await fixture.verify()).checkpoint?.size).toBeGreaterThanOrEqual(11);
    while ((await fixture.verify()).checkpoint?.size !== 12) await new Promise((resolve) => setTimeout(resolve, 20));
    await log.close();
  });

  test('keeps the newest of checkpoints that are signed at once', async () => {
    const fixture = auditLogFixture();
    const log = await fixture.open();
    for (let count = 1; count <= 20; count++) {
      await log.append([allowed(`/${count}`)]);
      void log.writeCheckpoint();
    }
    await log.writeCheckpoint();
    expect(await fixture.verify()).toMatchObject({ ok: true, checkpoint: { size: 21 } });
    await log.close();
  });

  test('tells those who follow it, across files', async () => {
    const fixture = auditLogFixture();
    const log = await fixture.open({ segmentBytes: 500 });
    await log.append([allowed('/1')]);
    const stop = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const { target } of followRecords(fixture.directory, 2, stop.signal)) {
        if (target !== undefined) seen.push(target);
        if (target === '/6') stop.abort();
      }
    })();
    for (let at = 2; at <= 6; at++) await log.append([denied(`/${at}`)]);
    await following;
    await log.close();
    expect(seen).toEqual(['/2', '/3', '/4', '/5', '/6']);
  });

  test.each<[string, (lines: string[]) => string[], string[]]>([
    ['a changed byte', (l) => l.with(5, l[5]!.replace('/4', '/5')), ['6 wrong-hash', '11 checkpoint-differs']],
    ['a removed entry', (l) => l.toSpliced(5, 1), ['7 sequence-gap', '7 broken-link']],
    ['a cut tail', (l) => l.slice(0, 9), ['10 tail-cut']],
    ['an emptied file', () => [], ['1 tail-cut']],
    ['bytes that are not UTF-8', (l) => l.with(5, '\xff'), ['6 unparsable', '11 checkpoint-differs']],
  ])('names %s', async (_name, change, kinds) => {
    const { file, ...log } = await written();
    const lines = change(readFileSync(file, 'utf8').trimEnd().split('\n'));
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''), 'latin1');
    expect(await log.kinds()).toEqual(kinds);
  });

  test.each<[string, (directory: string) => void, string[]]>([
    ['a removed log', (d) => rmSync(`${d}/000001.jsonl`), ['1 tail-cut']],
    ['a removed checkpoint', (d) => rmSync(`${d}/checkpoint`), ['11 checkpoint-missing']],
    [
      'a checkpoint that is not signed by the key',
      (d) => writeFileSync(`${d}/checkpoint`, '{}'),
      ['11 checkpoint-missing'],
    ],
    [
      'a missing first file',
      (d) => copyFileSync(`${d}/000001.jsonl`, `${d}/000003.jsonl`),
      ['0 segment-missing', '1 sequence-repeat', '1 broken-link'],
    ],
  ])('names %s', async (_name, change, kinds) => {
    const { directory, ...log } = await written();
    change(directory);
    expect((await log.kinds()).slice(0, 3)).toEqual(kinds);
  });

  test('names a fork that ends where the checkpoint says', async () => {
    const { file, directory, kinds } = await written();
    copyFileSync(`${directory}/checkpoint`, `${directory}/checkpoint.kept`);
    const begin = readFileSync(file, 'utf8').split('\n', 1)[0];
    writeFileSync(file, `${begin}\n`);
    const log = await auditLogFixture(directory).open();
    await log.append(several.slice(1).map((record) => ({ ...record, target: '/other' })));
    await log.close();
    copyFileSync(`${directory}/checkpoint.kept`, `${directory}/checkpoint`);
    expect(await kinds()).toEqual(['2 loss-recorded', '11 checkpoint-differs']);
  });
});

describe('after a crash in the middle of a write', () => {
  test('every length of the last entry is cut off, kept aside and recorded', async () => {
    const { file, directory, options } = await written(several.slice(0, 3));
    const whole = readFileSync(file);
    const last = whole.lastIndexOf('\n', whole.length - 2) + 1;
    const tornIn = (place: string) => readdirSync(place).filter((name) => name.startsWith('torn-'));
    const leaveTorn = (size: number) => {
      for (const name of tornIn(directory)) rmSync(`${directory}/${name}`);
      rmSync(`${directory}/checkpoint`, { force: true });
      writeFileSync(file, whole.subarray(0, size));
    };
    for (let size = last + 1; size < whole.length; size++) {
      leaveTorn(size);
      const { findings } = recoverLog(directory, { ...options, now: options.now() });
      expect(findings[0]).toMatchObject({ kind: 'torn-tail', count: size - last });
      expect(readFileSync(`${directory}/${tornIn(directory)[0]}`)).toEqual(whole.subarray(last, size));
      expect(readFileSync(file)).toEqual(whole.subarray(0, last));
    }
    // With the log around it: at every length that ends something else, and some between.
    for (const size of [last + 1, last + 9, last + 100, whole.length - 2, whole.length - 1]) {
      leaveTorn(size);
      const same = auditLogFixture(directory);
      expect(await same.kinds()).toContain('4 torn-tail');
      await (await same.open()).close();
      expect(tornIn(directory)).toHaveLength(1);
      expect(await same.verify()).toMatchObject({ ok: true, entries: 5, losses: [4, 5] });
      const recovered = { action: 'recovered', kind: 'torn-tail', count: size - last };
      expect(findRecord(directory, 4)).toMatchObject(recovered);
    }
  });

  test('entries that are missing before the signed checkpoint are recorded as lost', async () => {
    const { file, directory, verify } = await written();
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, `${lines.slice(0, 7).join('\n')}\n`);
    await (await auditLogFixture(directory).open()).close();
    expect(tailRecords(directory, 1)).toMatchObject([{ action: 'recovered', kind: 'tail-cut', count: 4, seq: 8 }]);
    expect(await verify()).toMatchObject({ ok: false, problems: [{ kind: 'loss-recorded', seq: 8 }], losses: [8] });
  });

  test('a last line that is no entry is not written behind', async () => {
    const { file, directory } = await written();
    writeFileSync(file, `${readFileSync(file, 'utf8')}rubbish\n`);
    await expect(auditLogFixture(directory).open()).rejects.toMatchObject({ code: 'GK_AUDIT_BROKEN' });
  });

  test('an empty next file does not break the chain', async () => {
    const { directory, verify } = await written();
    writeFileSync(`${directory}/000002.jsonl`, '');
    const log = await auditLogFixture(directory).open();
    await log.append([denied('/z')]);
    await log.close();
    expect(await verify()).toMatchObject({ ok: true, entries: 13 });
    expect(tailRecords(directory, 2)).toMatchObject([{ action: 'segment', segment: 2 }, { target: '/z' }]);
  });
});

describe('when the log cannot be written', () => {
  test('an append rejects, nothing of it stays, and the next one works when there is room again', async () => {
    const fixture = auditLogFixture();
    let again = (): void => undefined;
    const works = new Promise<void>((resumed) => (again = resumed));
    const log = await fixture.open({ segmentBytes: 100, retryMs: 5, resumed: () => again() });
    await log.append([allowed('/a')]);
    mkdirSync(`${fixture.directory}/000002.jsonl`); // the next file cannot be opened
    await expect(log.append([denied('/b')])).rejects.toThrow('EISDIR');
    await expect(log.append([denied('/b')])).rejects.toThrow('EISDIR');
    expect(log.failure?.message).toContain('EISDIR');
    rmSync(`${fixture.directory}/000002.jsonl`, { recursive: true });
    await works;
    expect(log.failure).toBeUndefined();
    await log.append([denied('/c')]);
    await log.close();
    const actions = [...readRecords(fixture.directory)].flat().map(({ action, target = '' }) => `${action}${target}`);
    expect(actions).toEqual(['log_start', 'file_read/a', 'segment', 'resume', 'segment', 'file_read/c']);
    expect(await fixture.verify()).toMatchObject({ ok: true });
  });

  test('a file that someone else changed is not written behind', async () => {
    const { file, directory } = await written();
    const log = await auditLogFixture(directory).open();
    await log.append([allowed('/a')]);
    truncateSync(file, 100);
    await expect(log.append([allowed('/b')])).rejects.toThrow('was changed by someone else');
    expect(readFileSync(file)).toHaveLength(100);
    await log.close();
  });

  test('a closed log takes nothing', async () => {
    const log = await auditLogFixture().open();
    await log.close();
    await expect(log.append([allowed('/a')])).rejects.toThrow('closed');
  });
});
