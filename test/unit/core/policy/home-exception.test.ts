import { describe, expect, it } from 'vitest';
import { bytes, compileTexts, ROOTS } from '../../../support/policy.ts';

const policy = (rule: string): string =>
  `version: 1\nname: p\npolicies:\n  - action: file_read\n    rules:\n      - { path: "~/.ssh/**", effect: deny }\n      - ${rule}\n`;
const FREE = '{ path: ["/srv/**", "./**"], effect: allow, override: true }';

const compiledAt = (workspace: string, rule: string) => () =>
  compileTexts([{ layer: 'user', text: policy(rule) }], {
    ...ROOTS,
    workspace: { lexical: bytes(workspace), real: bytes(workspace) },
  });

describe('an exception for all of the workspace', () => {
  it.each(['/home/u', '/home', '/'])('is refused where that holds the home directory: %s', (workspace) => {
    expect(compiledAt(workspace, FREE)).toThrow(/user:0\.yaml:7:1: the exception ".*" would open the home directory/);
  });

  it.each(['/home/u/p', '/home/u2', '/srv/p'])('holds in a project: %s', (workspace) => {
    expect(compiledAt(workspace, FREE)).not.toThrow();
  });

  it.each([
    ['no exception', '{ path: "./**", effect: allow }'],
    ['of some files', '{ path: "./**/*.md", effect: allow, override: true }'],
    ['by the name of home', '{ path: "~/**", effect: allow, override: true }'],
  ])('is meant and nothing else: %s', (_what, rule) => {
    expect(compiledAt('/home/u', rule)).not.toThrow();
  });
});
