import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compareHeld, formerLogs } from '../../../../src/adapters/audit-log/held-checkpoints.ts';
import { tailRecords } from '../../../../src/adapters/audit-log/read.ts';
import { isSignedBy, type SignedCheckpoint } from '../../../../src/core/audit/checkpoint.ts';
import { allowed, denied } from '../../../support/audit-chain.ts';
import { auditLogFixture } from '../../../support/audit-log-fixture.ts';

/** A log, the checkpoints that somebody outside took, and copies of the directory to go back to. */
async function logWithHolder() {
  const fixture = auditLogFixture();
  const notes: string[] = [];
  const { directory, options } = fixture;
  const isOwn = (note: SignedCheckpoint) => isSignedBy(note, options.signer.keyId(note.origin), options.verify);
  const open = () => fixture.open({ checkpointed: (note) => void notes.push(note) });
  /** Appends so many entries, each with its checkpoint. */
  const grow = async (count: number, name: string) => {
    const log = await open();
    for (let at = 0; at < count; at++) {
      await log.append([denied(`/${name}/${at}`)]);
      await log.writeCheckpoint();
    }
    await log.close();
  };
  const copy = (from: string, to: string) => {
    rmSync(to, { recursive: true, force: true });
    mkdirSync(to);
    for (const name of readdirSync(from))
      if (/jsonl$|^checkpoint$/.test(name)) copyFileSync(`${from}/${name}`, `${to}/${name}`);
  };
  const restore = (from: string) => {
    for (const name of readdirSync(directory)) if (/jsonl$|^checkpoint$/.test(name)) rmSync(`${directory}/${name}`);
    for (const name of readdirSync(from)) copyFileSync(`${from}/${name}`, `${directory}/${name}`);
  };
  const held = () => [{ holder: 'the journal', notes: [...notes] }];
  /** What a start finds, and records. */
  const start = async () => {
    const before = held();
    const log = await open();
    const findings = await compareHeld(directory, log.opened, before, isOwn);
    for (const finding of findings)
      await log.append([{ action: 'recovered', time: options.now(), ...finding }, allowed('/next')]);
    await log.close();
    return findings;
  };
  return { ...fixture, isOwn, notes, grow, copy, restore, held, start };
}

describe('what others hold of the log', () => {
  test('fits a log that nobody touched', async () => {
    const { grow, start } = await logWithHolder();
    await grow(3, 'a');
    expect(await start()).toEqual([]);
    await grow(3, 'b');
    expect(await start()).toEqual([]);
  });

  test('tells of a log that was put back to an earlier state, once', async () => {
    const { directory, grow, copy, restore, start } = await logWithHolder();
    await grow(3, 'a');
    copy(directory, `${directory}/kept`);
    await grow(5, 'b');
    restore(`${directory}/kept`);
    expect(await start()).toMatchObject([
      { kind: 'rolled-back', count: 5, last: 9, text: expect.stringContaining('the journal tells of 9 entries') },
    ]);
    expect(tailRecords(directory, 2)).toMatchObject([{ action: 'recovered', kind: 'rolled-back', seq: 5 }, {}]);
    await grow(10, 'c'); // the numbers that were lost are there again, with other entries
    expect(await start()).toEqual([]);
  });

  test('tells of a log that went another way, once', async () => {
    const { directory, grow, copy, restore, start } = await logWithHolder();
    await grow(3, 'a');
    copy(directory, `${directory}/kept`);
    await grow(5, 'b');
    restore(`${directory}/kept`);
    const log = await auditLogFixture(directory).open(); // nobody outside hears of this
    for (let at = 0; at < 8; at++) await log.append([denied(`/other/${at}`)]);
    await log.close();
    expect(await start()).toMatchObject([{ kind: 'forked', last: 9 }]);
    expect(await start()).toEqual([]);
  });

  test('tells a log without entries of those that the key has signed', async () => {
    const { isOwn, grow, held } = await logWithHolder();
    const other = await logWithHolder();
    await grow(4, 'a');
    await other.grow(4, 'somebody else');
    const all = [...held(), ...other.held(), { holder: 'nobody', notes: ['no checkpoint'] }];
    expect(formerLogs(all, isOwn)).toMatchObject([{ kind: 'log-replaced', count: 5 }]);
    expect(formerLogs(other.held(), isOwn)).toEqual([]);
  });

  test('counts for nothing when it is not signed by the key', async () => {
    const { directory, isOwn, notes, grow, open } = await logWithHolder();
    await grow(2, 'a');
    const log = await open();
    const forged = notes.map((note) => note.replace(/\n\d+\n/, '\n99\n'));
    expect(await compareHeld(directory, log.opened, [{ holder: 'the journal', notes: forged }], isOwn)).toEqual([]);
    await log.close();
  });
});
