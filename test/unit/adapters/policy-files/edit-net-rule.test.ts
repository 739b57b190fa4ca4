import { lstatSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { editNetRules, type NetRuleEdit } from '../../../../src/adapters/policy-files/edit-net-rule.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gk-edit-'));
  file = join(directory, 'config', 'policy.yaml');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const edit = (change: NetRuleEdit['change'], destination: string, path = file) =>
  editAll(change, [destination], undefined, path).length > 0;
const editAll = (change: NetRuleEdit['change'], destinations: string[], reason?: string, path = file) =>
  editNetRules({ file: path, uid: process.getuid?.() ?? 0, destinations, change, reason });
/** The text of the file after a change of what it was. */
const edited = (before: string, ...how: Parameters<typeof editAll>) => {
  file = join(directory, 'policy.yaml');
  writeFileSync(file, before);
  editAll(...how);
  return readFileSync(file, 'utf8');
};

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

describe('editNetRules', () => {
  it('creates a policy that extends default', () => {
    expect(edit('allow', 'api.example:443')).toBe(true);
    expect(readFileSync(file, 'utf8')).toMatch(
      /extends: \[default\]\n.*\n {4}rules:\n {6}- \{ destination: "api\.example:443", effect: allow \}\n$/s,
    );
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('keeps comments and everything else', () => {
    file = join(directory, 'policy.yaml');
    writeFileSync(file, COMMENTED);
    expect(edit('allow', 'c.example')).toBe(true);
    const text = readFileSync(file, 'utf8');
    for (const comment of ['# mine', '# a name', '# the API', '# none yet']) expect(text).toContain(comment);
    expect(text).toMatch(/api\.example, b\.example[^\n]*\n\s+- \{ destination: "c\.example", effect: allow \}/);
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
    expect(text).toContain('{ destination: "b.example", effect: deny }');
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

  it('leaves every other line as somebody wrote it', () => {
    const odd = `version:  1   # one
name: 'mine'
policies:
    - action: [network]
      rules:
        - {destination: [ "a.example",b.example ],effect: allow}   # odd
        - destination: c.example
          effect: deny
          # said in several lines
          reason: >-
            folded
`;
    expect(edited(odd, 'allow', ['d.example:80', 'e.example:80'], 'for tests')).toBe(
      `${odd}        - { destination: "d.example:80", effect: allow, reason: "for tests" }
        - { destination: "e.example:80", effect: allow, reason: "for tests" }
`,
    );
    expect(edited(odd, 'remove', ['B.example'])).toBe(odd.replace(',b.example', ''));
    expect(edited(odd, 'remove', ['a.example'])).toBe(odd.replace('"a.example",', ''));
    expect(edited(odd, 'deny', ['a.example'])).toBe(
      `${odd.replace('"a.example",', '')}        - { destination: "a.example", effect: deny }\n`,
    );
  });

  it('takes several at once, or none when one of them is wrong', () => {
    expect(editAll('allow', ['a.example', 'A.EXAMPLE', 'b.example:443'])).toEqual(['a.example', 'b.example:443']);
    expect(() => editAll('allow', ['c.example', 'https://d.example/'])).toThrow(
      expect.objectContaining({ code: 'GK_DESTINATION', remedy: 'write d.example:443' }),
    );
    expect(readFileSync(file, 'utf8')).not.toContain('c.example');
    expect(readFileSync(file, 'utf8').split('effect: allow')).toHaveLength(3);
  });

  it('gives a new reason, and says nothing new when there is one already', () => {
    edit('allow', 'a.example');
    expect(editAll('allow', ['a.example'], 'said later')).toEqual(['a.example']);
    expect(readFileSync(file, 'utf8').match(/a\.example.*/g)).toEqual([
      'a.example", effect: allow, reason: "said later" }',
    ]);
    expect(edit('allow', 'a.example')).toBe(false);
  });

  it('keeps rules that speak of some requests only, until the destination is removed', () => {
    const partial = COMMENTED.replace('effect: allow', 'effect: deny, methods: [POST]');
    const text = edited(partial, 'allow', ['api.example']);
    expect(text).toContain('methods: [POST]');
    expect(text).toContain('{ destination: "api.example", effect: allow }');
    expect(edited(partial, 'remove', ['api.example'])).not.toContain('api.example');
  });
});
