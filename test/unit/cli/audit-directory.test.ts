import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { auditDirectory, readError } from '../../../src/cli/audit-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

describe('the directory of a log', () => {
  test('is what is named, if it is one', () => {
    const directory = temporaryDirectory();
    expect(auditDirectory(directory)).toBe(directory);
    writeFileSync(`${directory}/file`, '');
    for (const name of ['file', 'file/x', 'none'])
      expect(() => auditDirectory(`${directory}/${name}`)).toThrow(
        expect.objectContaining({ code: 'GK_AUDIT_MISSING' }),
      );
  });

  test('that cannot be looked at is not one that is not there', () => {
    const tooLong = `${temporaryDirectory()}/${'x'.repeat(300)}`;
    expect(() => auditDirectory(tooLong)).toThrow(expect.objectContaining({ code: 'GK_AUDIT_READ' }));
    const refused = Object.assign(new Error('EACCES: …'), { code: 'EACCES', syscall: 'stat' });
    expect(readError(refused, '/x')).toMatchObject({ what: 'the audit log cannot be read: permission denied' });
  });
});
