import { existsSync, readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Agreement, agreements, isTrouble } from '../../../../src/adapters/anchors/agreement.ts';
import { Anchors, holdersOf, readAnchors } from '../../../../src/adapters/anchors/anchors.ts';
import { JOURNAL_SOCKET } from '../../../../src/adapters/anchors/journal-holder.ts';
import type { AuditLog } from '../../../../src/adapters/audit-log/audit-log.ts';
import { openSigningKey } from '../../../../src/adapters/keys/signing-key.ts';
import { parseCheckpoint, sealCheckpoint } from '../../../../src/core/audit/checkpoint.ts';
import { defaultAuditSettings } from '../../../../src/core/audit/settings.ts';
import { homeLayout } from '../../../../src/core/contract/home-layout.ts';
import { denied } from '../../../support/audit-chain.ts';
import { auditLogFixture } from '../../../support/audit-log-fixture.ts';
import { noteOf } from '../../../support/notes.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

let fixture: ReturnType<typeof auditLogFixture>;
let log: AuditLog;
const note = () => readFileSync(`${fixture.directory}/checkpoint`, 'utf8');
const statesOf = (...notes: string[]) =>
  agreements(fixture.directory, [{ holder: 'h', notes, times: notes.map((_note, at) => `time ${at}`) }]);

beforeEach(async () => {
  fixture = auditLogFixture();
  log = await fixture.open({ segmentBytes: 4000 });
  for (let at = 0; at < 20; at++) await log.append([denied(`/file/${at}`)]);
  await log.writeCheckpoint();
});

/** Signed by the log's own key, of whatever size and root. */
function signed(size: number, root: string, signer = fixture.options.signer): string {
  const { origin } = parseCheckpoint(note())!;
  return sealCheckpoint({ origin, size, root }, signer.keyId(origin), signer.sign);
}
const other = Buffer.alloc(32, 7).toString('base64');

describe('what a holder has of a log', () => {
  it('agrees when it is what the log says, wherever in it, and is the newest of what the holder has', async () => {
    const first = note();
    for (let at = 0; at < 20; at++) await log.append([denied(`/file/${at}`)]);
    await log.close();
    const { size } = parseCheckpoint(note())!;
    expect(await statesOf(first)).toMatchObject([{ agreement: 'agrees', time: 'time 0', notes: 1 }]);
    expect(await statesOf(note(), noteOf('other', 999), first)).toMatchObject([{ agreement: 'agrees', size }]);
  });

  it('is ahead of a log that was put back', async () => {
    await log.close();
    expect(await statesOf(signed(9999, other))).toMatchObject([{ agreement: 'ahead', size: 9999 }]);
  });

  it('differs from one that was written anew up to there', async () => {
    await log.close();
    expect(await statesOf(signed(5, other))).toMatchObject([{ agreement: 'differs', size: 5 }]);
  });

  it('says nothing when no key of the log has signed it, or it is about another log', async () => {
    await log.close();
    const stranger = signed(9999, other, openSigningKey(temporaryDirectory()));
    expect(await statesOf(stranger)).toMatchObject([{ agreement: 'unsigned' }]);
    expect(await statesOf(noteOf('other', 5))).toMatchObject([{ agreement: 'nothing', notes: 1 }]);
  });

  it('is trouble when it disagrees or cannot be asked, but for a journal that nobody asked for', () => {
    const settings = (journal: 'auto' | 'required') => ({ anchors: { ...defaultAuditSettings().anchors, journal } });
    const state = (agreement: Agreement, holder = 'h') => ({ agreement, holder, notes: 0 });
    const all = ['agrees', 'ahead', 'differs', 'nothing', 'unsigned', 'unknown', 'unreadable'] as const;
    const bad = all.filter((agreement) => isTrouble(state(agreement), settings('auto')));
    expect(bad).toEqual(['ahead', 'differs', 'unsigned', 'unreadable']);
    expect(isTrouble(state('unreadable', 'system journal'), settings('auto'))).toBe(false);
    expect(isTrouble(state('unreadable', 'system journal'), settings('required'))).toBe(true);
    return log.close();
  });

  it('may be by a key that signs no more', async () => {
    const before = note();
    await log.changeKey(openSigningKey(temporaryDirectory()));
    for (let at = 0; at < 20; at++) await log.append([denied(`/file/${at}`)]);
    await log.close();
    expect(await statesOf(before)).toMatchObject([{ agreement: 'agrees' }]);
  });
});

describe('all holders', () => {
  const layout = homeLayout({ passwdHome: '/nonexistent', uid: 1, env: { GATEKEEPER_HOME: temporaryDirectory() } });
  const { anchors } = defaultAuditSettings();

  it('get each checkpoint, and the last one before they are left', async () => {
    const files = [`${temporaryDirectory()}/a`, '/nonexistent/b'];
    const here = { ...layout, audit: fixture.directory, anchorFile: `${temporaryDirectory()}/anchor` };
    const settings = { anchors: { ...anchors, journal: 'off' as const, files } };
    const told: (string | undefined)[][] = [];
    const all = new Anchors({ holders: holdersOf(settings, here), tell: (...what) => told.push(what) });
    all.put(note());
    await all.close();
    const held = await readAnchors(settings, here, parseCheckpoint(note())!.origin);
    expect(held.map(({ notes }) => notes)).toEqual([[note()], [note()], []]);
    expect(all.failures()).toEqual([
      { holder: 'file /nonexistent/b', failure: expect.stringContaining('no such file or directory (/nonexistent)') },
    ]);
    expect(told).toEqual([
      ['file /nonexistent/b', expect.stringContaining('no such file or directory (/nonexistent)')],
    ]);
    await log.close();
  });

  it('are not there when a journal is required that is not', async () => {
    const settings = { anchors: { ...anchors, journal: 'required' as const } };
    const names = (await readAnchors(settings, layout)).map(({ holder }) => holder);
    expect(names.sort()).toEqual([`file ${layout.anchorFile}`, 'system journal']);
    if (existsSync(JOURNAL_SOCKET)) expect(holdersOf(settings, layout)).toHaveLength(2);
    else expect(() => holdersOf(settings, layout)).toThrow(expect.objectContaining({ code: 'GK_AUDIT_SETTINGS' }));
    await log.close();
  });
});
