import { lstatSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { editNetRule, type NetRuleEdit } from '../../../../src/adapters/policy-files/edit-net-rule.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gk-edit-'));
  file = join(directory, 'config', 'policy.yaml');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const edit = (change: NetRuleEdit['change'], destination: string, path = file) =>
  editNetRule({ file: path, uid: process.getuid?.() ?? 0, destination, change });

const COMMENTED = `# mine
version: 1
name: mine # a name
policies:
  - action: network
    rules:
      # the API
      - { destination: [api.example, b.example], effect: allow }
  - action: file_read
    rules: [] # none yet
`;

describe('editNetRule', () => {
  it('creates a policy that extends default', () => {
    expect(edit('allow', 'api.example:443')).toBe(true);
    expect(readFileSync(file, 'utf8')).toMatch(
      /extends: \[ ?default ?\]\n.*destination: api\.example:443, effect: allow/s,
    );
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('keeps comments and everything else', () => {
    file = join(directory, 'policy.yaml');
    writeFileSync(file, COMMENTED);
    expect(edit('allow', 'c.example')).toBe(true);
    const text = readFileSync(file, 'utf8');
    for (const comment of ['# mine', '# a name', '# the API', '# none yet']) expect(text).toContain(comment);
    expect(text).toMatch(/api\.example, b\.example[^\n]*\n\s+- \{ destination: c\.example, effect: allow \}/);
  });

  it('changes nothing when it is said already', () => {
    edit('allow', 'a.example');
    expect(edit('allow', 'a.example')).toBe(false);
    expect(edit('remove', 'z.example')).toBe(false);
  });

  it('puts a deny in place of an allow, and takes one host out of a list', () => {
    file = join(directory, 'policy.yaml');
    writeFileSync(file, COMMENTED);
    expect(edit('deny', 'b.example')).toBe(true);
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/destination: \[ ?api\.example ?\]/);
    expect(text).toContain('{ destination: b.example, effect: deny }');
    expect(edit('remove', 'b.example')).toBe(true);
    expect(readFileSync(file, 'utf8')).not.toContain('b.example');
  });

  it('leaves a link a link', () => {
    const target = join(directory, 'target.yaml');
    const link = join(directory, 'link.yaml');
    writeFileSync(target, COMMENTED);
    symlinkSync(target, link);
    edit('allow', 'c.example', link);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, 'utf8')).toContain('c.example');
  });

  it('refuses what is no destination, and a file with an error, and leaves that as it is', () => {
    expect(() => edit('allow', 'http://x')).toThrow(expect.objectContaining({ code: 'GK_DESTINATION' }));
    file = join(directory, 'policy.yaml');
    writeFileSync(file, 'version: 1\nnam: x\n');
    expect(() => edit('allow', 'a.example')).toThrow(expect.objectContaining({ code: 'GK_POLICY_INVALID' }));
    expect(readFileSync(file, 'utf8')).toBe('version: 1\nnam: x\n');
  });
});
