import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isSignedBy, originOf, parseCheckpoint, sealCheckpoint } from '../../../../src/core/audit/checkpoint.ts';
import { sign, verify } from '../../../support/audit-chain.ts';

const root = createHash('sha256').update('any').digest('base64');
const statement = { origin: originOf('00112233445566778899aabbccddeeff'), size: 17, root };
const note = sealCheckpoint(statement, '0badcafe', sign);

describe('a checkpoint', () => {
  it('is a signed note with three lines of text', () => {
    const lines = note.split('\n');
    expect(lines.slice(0, 4)).toEqual([statement.origin, '17', root, '']);
    expect(lines[4]).toMatch(/^— gatekeeper\/[0-9a-f]{32} [A-Za-z0-9+/]+=*$/);
    expect(lines.slice(5)).toEqual(['']);
    expect(Buffer.from(lines[4]!.split(' ')[2]!, 'base64').toString('hex')).toMatch(/^0badcafe[0-9a-f]{128}$/);
  });

  it('is read back, and its signature is the key’s', () => {
    const read = parseCheckpoint(note)!;
    expect(read).toMatchObject(statement);
    expect(isSignedBy(read, '0badcafe', verify)).toBe(true);
    expect(isSignedBy(read, '0badcaff', verify)).toBe(false);
  });

  it('may be read by others who know the format: the note of its specification', () => {
    const theirs =
      'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
      '— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n';
    expect(parseCheckpoint(theirs)).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20852163 });
    expect(parseCheckpoint(theirs)?.signatures).toMatchObject([{ keyId: '033de0ae' }]);
  });

  it('has nothing of it changed without the signature failing', () => {
    for (const changed of [
      note.replace('\n17\n', '\n16\n'),
      note.replace(root, createHash('sha256').update('other').digest('base64')),
      note.replaceAll('00112233', '10112233'),
      note.replace(`${root}\n`, `${root}\nmore\n`),
    ]) {
      const read = parseCheckpoint(changed);
      expect(read && isSignedBy(read, '0badcafe', verify), changed).toBe(false);
    }
  });

  it.each([
    ['nothing', ''],
    ['no signature', `${statement.origin}\n17\n${root}\n`],
    ['a number with a zero in front', note.replace('\n17\n', '\n017\n')],
    ['no number', note.replace('\n17\n', '\nmany\n')],
    ['a root of another length', note.replace(root, root.slice(4))],
    ['another spelling of the root', note.replace('=\n\n', '==\n\n')],
    ['a control character', note.replace('17', '17\r')],
    ['a line that is no signature', `${note}and more\n`],
    ['an unfinished last line', note.slice(0, -1)],
  ])('is not read from %s', (_what, text) => {
    expect(parseCheckpoint(text)).toBeUndefined();
  });
});
