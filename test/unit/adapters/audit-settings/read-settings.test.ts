import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readAuditSettings } from '../../../../src/adapters/audit-settings/read-settings.ts';
import { defaultAuditSettings } from '../../../../src/core/audit/settings.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

function settings(): string {
  const path = `${temporaryDirectory()}/audit.yaml`;
  writeFileSync(path, 'version: 1\nanchors: { commands: [{ put: [/bin/true] }] }\n', { mode: 0o600 });
  return path;
}
const read = (auditSettings: string) => readAuditSettings({ auditSettings });

describe('the file of settings, which names programs that the daemon starts', () => {
  it('is read where nobody else can write it', () => {
    const path = settings();
    expect(read(path).anchors.commands).toEqual([{ put: ['/bin/true'] }]);
    chmodSync(path, 0o644);
    expect(read(path).anchors.commands).toHaveLength(1);
    rmSync(path);
    expect(read(path)).toEqual(defaultAuditSettings());
  });

  it.each<[string, (path: string) => void, string]>([
    ['that everyone can write', (path) => chmodSync(path, 0o646), 'by everyone'],
    ['that is a FIFO', (path) => rmSync(path) ?? spawnSync('mkfifo', [path]), 'not a regular file'],
    ['that is a directory', (path) => rmSync(path) ?? mkdirSync(path), 'not a regular file'],
    ['that has no end', (path) => truncateSync(path, 2 ** 40), 'larger than'],
  ])('is refused as one %s', (_name, change, what) => {
    const path = settings();
    change(path);
    expect(() => read(path)).toThrow(what);
  });

  it.runIf(process.getuid?.() === 0)('is refused as one of another user, or of a group that may have members', () => {
    const path = settings();
    chownSync(path, 65534, 0);
    expect(() => read(path)).toThrow('belong to user 65534');
    chownSync(path, 0, 65534);
    chmodSync(path, 0o660);
    expect(() => read(path)).toThrow('by group 65534');
  });
});
