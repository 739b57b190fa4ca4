import { describe, expect, it } from 'vitest';
import { defaultAuditSettings, parseAuditSettings } from '../../../../src/core/audit/settings.ts';
import { PolicyError } from '../../../../src/core/policy/policy-error.ts';

const parse = (text: string) => parseAuditSettings('audit.yaml', text, (key) => key === 'witness+00000000+key');

describe('the settings of the audit log', () => {
  it('are those that hold by themselves where the file says nothing', () => {
    expect(parse('version: 1\n')).toEqual(defaultAuditSettings());
    expect(defaultAuditSettings()).toEqual({
      onFailure: 'halt',
      segmentBytes: 16_777_216,
      segmentAgeMs: 86_400_000,
      anchors: { journal: 'auto', files: [], commands: [], witnesses: [] },
    });
  });

  it('say how it is kept and who else holds its checkpoints', () => {
    const text = `
version: 1
onFailure: degrade
segments: { size: 64KiB, age: 12h }
keep: { age: 90d, size: 1GiB }
anchors:
  journal: required
  files: [/mnt/other/gatekeeper.anchor]
  commands:
    - put: [/usr/local/bin/keep, --add]
      get: [/usr/local/bin/keep, --list]
    - put: [/usr/bin/logger]
  witnesses:
    - url: https://witness.example/log/
      key: witness+00000000+key
`;
    expect(parse(text)).toEqual({
      onFailure: 'degrade',
      segmentBytes: 65_536,
      segmentAgeMs: 43_200_000,
      keepAgeMs: 90 * 86_400_000,
      keepBytes: 2 ** 30,
      anchors: {
        journal: 'required',
        files: ['/mnt/other/gatekeeper.anchor'],
        commands: [
          { put: ['/usr/local/bin/keep', '--add'], get: ['/usr/local/bin/keep', '--list'] },
          { put: ['/usr/bin/logger'] },
        ],
        witnesses: [{ url: 'https://witness.example/log', key: 'witness+00000000+key' }],
      },
    });
  });

  it.each([
    ['nothing', '', '1:1', 'the file is empty'],
    ['no version', 'onFailure: halt\n', '1:1', 'version is missing'],
    ['another version', 'version: 2\n', '1:10', 'version must be 1'],
    ['a key that is not known', 'version: 1\nretain: {}\n', '2:1', 'unknown key "retain"'],
    ['a key twice', 'version: 1\nversion: 1\n', '2:1', 'twice'],
    ['another failure', 'version: 1\nonFailure: ignore\n', '2:12', 'values are halt, degrade'],
    ['a size without unit', 'version: 1\nsegments: { size: 4096 }\n', '2:19', 'amount with its unit'],
    ['a size that is too small', 'version: 1\nsegments: { size: 1KiB }\n', '2:19', 'from 4KiB'],
    ['an age of another unit', 'version: 1\nkeep: { age: 3 weeks }\n', '2:14', '90d, 12h or 30m'],
    ['another journal', 'version: 1\nanchors: { journal: yes }\n', '2:21', 'values are auto, off, required'],
    ['a relative file', 'version: 1\nanchors: { files: [anchor] }\n', '2:20', 'not an absolute path'],
    ['a file by way of its parent', 'version: 1\nanchors: { files: [/a/../b] }\n', '2:20', 'not an absolute path'],
    ['a directory', 'version: 1\nanchors: { files: [/a/] }\n', '2:20', 'not an absolute path'],
    ['a file twice', 'version: 1\nanchors: { files: [/a, /a] }\n', '2:24', 'listed twice'],
    ['a command without put', 'version: 1\nanchors: { commands: [{ get: [/bin/x] }] }\n', '2:23', 'put is missing'],
    ['an empty command', 'version: 1\nanchors: { commands: [{ put: [] }] }\n', '2:30', 'put is empty'],
    ['a command by name', 'version: 1\nanchors: { commands: [{ put: [tee] }] }\n', '2:31', 'not an absolute path'],
    [
      'a witness in the open',
      'version: 1\nanchors: { witnesses: [{ url: "http://w.example", key: witness+00000000+key }] }\n',
      '2:31',
      'https, or http on this machine',
    ],
    [
      'another key',
      'version: 1\nanchors: { witnesses: [{ url: "https://w.example", key: k }] }\n',
      '2:57',
      'not the key of a witness',
    ],
    [
      'a witness without key',
      'version: 1\nanchors: { witnesses: [{ url: "https://w.example" }] }\n',
      '2:24',
      'key is missing',
    ],
  ])('are refused for %s, with the place', (_name, text, place, message) => {
    let error: unknown;
    try {
      parse(text);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(PolicyError);
    expect((error as Error).message).toContain(`audit.yaml:${place}: `);
    expect((error as Error).message).toContain(message);
  });
});
