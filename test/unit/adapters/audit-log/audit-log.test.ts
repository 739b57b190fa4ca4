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
      entries: 33,
      signatures: 12,
      losses: [],
      head: { seq: 33 },
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
    expect(heads.at(-1)?.seq).toBe(2003);
    expect(await fixture.verify()).toMatchObject({ ok: true, entries: 2003 });
    expect([1001, 1002, 2003].map((seq) => findRecord(fixture.directory, seq)?.['target'])).toEqual([
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
    expect(readdirSync(fixture.directory).filter((name) => name.endsWith('.jsonl')).length).toBeGreaterThan(2);
    expect(await fixture.verify()).toMatchObject({ ok: true, entries: 10 });
    const again = await fixture.open({ segmentBytes: 1000 });
    await again.append([allowed('/y')]);
    await again.close();
    expect(await fixture.verify()).toMatchObject({ ok: true, entries: 11 });
    expect(tailRecords(fixture.directory, 4).map(({ seq }) => seq)).toEqual([8, 9, 10, 11]);
    expect(findRecord(fixture.directory, 3)).toMatchObject({ target: '/2' });
    expect([...readRecords(fixture.directory, 9)].flat().map(({ seq }) => seq)).toEqual([9, 10, 11]);
  });

  test('signs where it stands when asked, and what comes in the meantime soon after', async () => {
    const fixture = auditLogFixture();
    const log = await fixture.open();
    await log.append(several);
    const signing = log.writeHead();
    await log.append([allowed('/meanwhile')]);
    await signing;
    expect((await fixture.verify()).signedHead?.seq).toBeGreaterThanOrEqual(10);
    while ((await fixture.verify()).signedHead?.seq !== 11) await new Promise((resolve) => setTimeout(resolve, 20));
    await log.close();
  });

  test('keeps the newest of heads that are signed at once', async () => {
    const fixture = auditLogFixture();
    const log = await fixture.open();
    for (let count = 1; count <= 20; count++) {
      await log.append([allowed(`/${count}`)]);
      void log.writeHead();
    }
    await log.writeHead();
    expect(await fixture.verify()).toMatchObject({ ok: true, signedHead: { seq: 20 } });
    await log.close();
  });

  test('tells those who follow it, across files', async () => {
    const fixture = auditLogFixture();
    const log = await fixture.open({ segmentBytes: 500 });
    await log.append([allowed('/1')]);
    const stop = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const { seq } of followRecords(fixture.directory, 1, stop.signal)) {
        seen.push(seq);
        if (seq === 6) stop.abort();
      }
    })();
    for (let at = 2; at <= 6; at++) await log.append([denied(`/${at}`)]);
    await following;
    await log.close();
    expect(seen).toEqual([2, 3, 4, 5, 6]);
  });

  test.each<[string, (lines: string[]) => string[], string[]]>([
    ['a changed byte', (l) => l.with(4, l[4]!.replace('/4', '/5')), ['5 wrong-hash']],
    ['a removed entry', (l) => l.toSpliced(4, 1), ['6 sequence-gap', '6 broken-link']],
    ['a cut tail', (l) => l.slice(0, 8), ['9 tail-cut']],
    ['an emptied file', () => [], ['1 tail-cut']],
    ['bytes that are not UTF-8', (l) => l.with(4, '\xff'), ['5 unparsable']],
  ])('names %s', async (_name, change, kinds) => {
    const { file, ...log } = await written();
    const lines = change(readFileSync(file, 'utf8').trimEnd().split('\n'));
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''), 'latin1');
    expect(await log.kinds()).toEqual(kinds);
  });

  test.each<[string, (directory: string) => void, string[]]>([
    ['a removed log', (d) => rmSync(`${d}/000001.jsonl`), ['1 tail-cut']],
    ['a removed head', (d) => rmSync(`${d}/head`), ['10 head-missing']],
    ['a head that is not signed by the key', (d) => writeFileSync(`${d}/head`, '{}'), ['10 head-missing']],
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

  test('names a fork that ends where the head says', async () => {
    const { file, directory, kinds } = await written();
    copyFileSync(`${directory}/head`, `${directory}/head.kept`);
    truncateSync(file, 0);
    rmSync(`${directory}/head`);
    const log = await auditLogFixture(directory).open();
    await log.append(several.map((record) => ({ ...record, target: '/other' })));
    await log.close();
    copyFileSync(`${directory}/head.kept`, `${directory}/head`);
    expect(await kinds()).toEqual(['10 head-differs']);
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
      rmSync(`${directory}/head`, { force: true });
      writeFileSync(file, whole.subarray(0, size));
    };
    for (let size = last + 1; size < whole.length; size++) {
      leaveTorn(size);
      const { findings } = recoverLog(directory, { now: options.now(), verify: options.verify });
      expect(findings[0]).toMatchObject({ kind: 'torn-tail', count: size - last });
      expect(readFileSync(`${directory}/${tornIn(directory)[0]}`)).toEqual(whole.subarray(last, size));
      expect(readFileSync(file)).toEqual(whole.subarray(0, last));
    }
    // With the log around it: at every length that ends something else, and some between.
    for (const size of [last + 1, last + 9, last + 100, whole.length - 2, whole.length - 1]) {
      leaveTorn(size);
      const same = auditLogFixture(directory);
      expect(await same.kinds()).toContain('3 torn-tail');
      await (await same.open()).close();
      expect(tornIn(directory)).toHaveLength(1);
      expect(await same.verify()).toMatchObject({ ok: true, entries: 4, losses: [3, 4] });
      const recovered = { action: 'recovered', kind: 'torn-tail', count: size - last };
      expect(findRecord(directory, 3)).toMatchObject(recovered);
    }
  });

  test('entries that are missing before the signed head are recorded as lost', async () => {
    const { file, directory, verify } = await written();
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, `${lines.slice(0, 7).join('\n')}\n`);
    await (await auditLogFixture(directory).open()).close();
    expect(tailRecords(directory, 1)).toMatchObject([{ action: 'recovered', kind: 'tail-cut', count: 3, seq: 8 }]);
    expect(await verify()).toMatchObject({ ok: true, losses: [8] });
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
    expect(await verify()).toMatchObject({ ok: true, entries: 11 });
  });
});

describe('when the log cannot be written', () => {
  test('an append rejects, nothing of it stays, and the next one works when there is room again', async () => {
    const fixture = auditLogFixture();
    const log = await fixture.open({ segmentBytes: 100 });
    await log.append([allowed('/a')]);
    mkdirSync(`${fixture.directory}/000002.jsonl`); // the next file cannot be opened
    await expect(log.append([denied('/b')])).rejects.toThrow('EISDIR');
    expect(log.failure?.message).toContain('EISDIR');
    rmSync(`${fixture.directory}/000002.jsonl`, { recursive: true });
    await log.append([denied('/c')]);
    expect(log.failure).toBeUndefined();
    await log.close();
    expect(await fixture.verify()).toMatchObject({ ok: true, entries: 2 });
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
