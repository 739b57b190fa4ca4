import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lintImage } from '../../../../src/core/analysis/lint.ts';
import { PolicyImage } from '../../../../src/core/engine/image.ts';
import { compileLayers } from '../../../../src/core/policy/compile.ts';
import { readLayers } from '../../../../src/core/policy/layers.ts';
import { tabulateRules } from '../../../../src/core/policy/rules.ts';
import type { PolicySource } from '../../../../src/core/policy/source.ts';
import { bytes, compileTexts, ROOTS, type SourceText } from '../../../support/policy.ts';

const text = (path: Uint8Array): string => Buffer.from(path).toString();
const read = (name: string): string => readFileSync(`policies/${name}.yaml`, 'utf8');
const shipped = (name: string, layer: PolicySource['layer']): PolicySource => ({
  layer,
  name: `${name.startsWith('builtin/') ? 'builtin' : 'preset'}:${name.replace('builtin/', '')}.yaml`,
  text: read(name),
  shipped: true,
});
const BUILT_IN = [shipped('builtin/protection', 'protection'), shipped('builtin/guards', 'guards')];
const resolve = (name: string) => shipped(name, 'user');

function compiled(files: readonly SourceText[], roots = ROOTS) {
  const { image, hints } = compileTexts(files, roots, resolve);
  const { region, floor } = PolicyImage.open(image, '');
  const programs = floor.filter(({ access }) => (access & 4) !== 0).map(({ path }) => path);
  return { hints, programs, region: region.map(({ path }) => text(path)), flags: region.map(({ flags }) => flags) };
}
const user = (policies: string): SourceText => ({ layer: 'user', text: `version: 1\nname: x\npolicies:\n${policies}` });
const reading = (rules: string): string => `  - { action: file_read, defaultEffect: deny, rules: ${rules} }\n`;
const starting = (rules: string): string => `  - { action: shell_exec, rules: ${rules} }\n`;

describe('the region', () => {
  it.each([
    ['a tree that a rule allows', '[{ path: "/usr/**", effect: allow }]', ['/usr']],
    ['a tree within another once', '[{ path: ["/a/b/**", "/a/**", "/a-b/**"], effect: allow }]', ['/a', '/a-b']],
    ['no tree of which part alone is allowed', '[{ path: ["/a/*", "/b/*.c", "/c/*/**", "/d"], effect: allow }]', []],
    [
      'a tree beside a denied one, and none around it',
      '[{ path: ["/a/**", "/a/b/**"], effect: allow }, { path: "/a/x", effect: deny }]',
      ['/a/b'],
    ],
    [
      'none in which a name is denied at any depth',
      '[{ path: "/a/**", effect: allow }, { path: "**/.env", effect: deny }]',
      [],
    ],
    [
      'one that an exception opens again',
      '[{ path: "/a/**", effect: allow, override: true }, { path: "**/.env", effect: deny }]',
      ['/a'],
    ],
    ['none in which somebody is asked', '[{ path: "/a/**", effect: allow }, { path: "/a/b/c/d", effect: ask }]', []],
    [
      'none in which something is shadowed',
      '[{ path: "/a/**", effect: allow }, { path: "/a/*.c", effect: shadow }]',
      [],
    ],
    ['none that is recorded', '[{ path: "/a/**", effect: allow, log: true }]', []],
    ['none with a hidden name', '[{ path: "/a/**", effect: allow }, { path: "/a/b", effect: deny, hide: true }]', []],
    ['nothing where the kernel makes the files', '[{ path: ["/proc/**", "/dev/shm/**"], effect: allow }]', []],
  ])('holds %s', (_name, rules, expected) => {
    expect(compiled([user(reading(rules))]).region).toEqual(expected);
  });

  it('never holds the root, and system trees and roots where everything is allowed', () => {
    const { region } = compiled([user('  - { action: file_read, defaultEffect: allow }\n')]);
    expect(region).toEqual(expect.arrayContaining(['/usr', '/opt', '/home']));
    expect(region).not.toContain('/');
  });

  it("leaves a tree out that an override of another layer's file cannot open", () => {
    const system: SourceText = {
      layer: 'system',
      text: `version: 1\nname: s\npolicies:\n${reading('[{ path: "**/secret/**", effect: deny }]')}`,
    };
    const open = user(reading('[{ path: "/usr/**", effect: allow, override: true }]'));
    expect([compiled([open]).region, compiled([system, open]).region]).toEqual([['/usr'], []]);
  });

  it("loses what a user's own rule refuses, and no more", () => {
    const own = `version: 1\nname: x\nextends: [default]\npolicies:\n${reading('[{ path: "/usr/lib/**/secret/**", effect: deny }]')}`;
    const before = compiled([...BUILT_IN, shipped('default', 'user')]).region;
    const after = compiled([...BUILT_IN, { layer: 'user', text: own }]).region;
    expect(before).toEqual(expect.arrayContaining(['/usr/lib', '/usr/share']));
    expect(after).toEqual(before.filter((path) => path !== '/usr/lib'));
  });

  it("holds none of gatekeeper's own files, whatever is allowed", () => {
    const all = user(reading('[{ path: "/**", effect: allow, override: true }]'));
    const { region } = compiled([...BUILT_IN, all]);
    expect(region).toContain('/usr');
    for (const place of ['/home', '/home/u', '/etc', '/home/u/.config/gatekeeper']) expect(region).not.toContain(place);
  });

  it('leaves out the form of a root that goes through a link', () => {
    const workspace = { lexical: bytes('/home/u/link'), real: bytes('/data/p') };
    const { region, hints } = compiled([user(reading('[{ path: "./**", effect: allow }]'))], { ...ROOTS, workspace });
    expect([region, hints.files]).toEqual([['/data/p'], true]);
  });

  it('gives up on rules that are too many to look at, and says so', () => {
    const words = Array.from({ length: 60 }, (_, n) => `"**/${n}*x*${n}*y*${n}"`).join(', ');
    const rules = `[{ path: "/a/**", effect: allow, override: true }, { path: [${words}], effect: deny }]`;
    const { region, hints } = compiled([user(reading(rules))]);
    if (region.length === 0) expect(hints.why).toContain('too many to be sure');
    else expect(region).toEqual(['/a']);
  });
});

describe('the places of programs', () => {
  const tree = '[{ path: ["/usr/**", "/etc/**", "/opt/**"], effect: allow }]';
  it.each<[string, string, string[]]>([
    ['are all that may be read', '[{ command: "*", effect: allow }]', ['/etc', '/opt', '/usr']],
    [
      'are not where a rule refuses all of them',
      '[{ command: ["/etc *", "/etc/* *"], effect: deny }]',
      ['/opt', '/usr'],
    ],
    [
      'stay when names that need quotes get away',
      '[{ command: ["/etc *", "/etc/*"], effect: deny }]',
      ['/etc', '/opt', '/usr'],
    ],
    [
      'stay when the tree itself could be a program',
      '[{ command: "/etc/* *", effect: deny }]',
      ['/etc', '/opt', '/usr'],
    ],
    ['stay under a default that denies: shells start all the same', '[]', ['/etc', '/opt', '/usr']],
    ['stay where somebody is asked', '[{ command: ["/etc *", "/etc/* *"], effect: ask }]', ['/etc', '/opt', '/usr']],
    [
      'are the directories that an override names in a refused tree',
      '[{ command: ["/opt *", "/opt/* *"], effect: deny }, { command: ["/opt/jdk/bin/* *", "/opt/x/y *"], effect: allow, override: true }]',
      ['/etc', '/opt/jdk/bin', '/opt/x/y', '/usr'],
    ],
    [
      'stay when an override speaks of a name at any place',
      '[{ command: ["/opt *", "/opt/* *"], effect: deny }, { command: "git push *", effect: allow, override: true }]',
      ['/etc', '/opt', '/usr'],
    ],
  ])('%s', (_name, rules, expected) => {
    expect(compiled([user(reading(tree) + starting(rules))]).programs).toEqual(expected);
  });

  it('are nowhere in /proc and /sys', () => {
    const all = '[{ path: ["/proc/self/**", "/sys/**", "/usr/**"], effect: allow }]';
    expect(compiled([user(reading(all))]).programs).toEqual(['/usr']);
  });
});

describe('hints', () => {
  it('name files when all places of programs are free, and say so on every entry', () => {
    const { hints, flags } = compiled([user(reading('[{ path: ["/usr/**", "./**"], effect: allow }]'))]);
    expect([hints.files, hints.directories, flags]).toEqual([true, true, [1, 1]]);
  });

  it.each([
    [
      'the rule that is in the way',
      '[{ path: ["/usr/**", "./**"], effect: allow }, { path: "**/.env", effect: deny }, { path: "/usr/**", effect: allow, override: true }]',
      'programs may be executed in /home/u/p, where **/.env is denied (user:0.yaml:4)',
    ],
    [
      'what is recorded',
      '[{ path: ["/usr/**"], effect: allow }, { path: "./**", effect: allow, log: true }]',
      'programs may be executed in /home/u/p, where ./** is recorded (user:0.yaml:4)',
    ],
    [
      'what is read in part',
      '[{ path: ["/usr/**", "/opt/*.so"], effect: allow }]',
      'programs may be executed in /opt, where not everything may be read',
    ],
  ])('name directories alone, with %s', (_name, rules, why) => {
    const { hints, flags } = compiled([user(reading(rules))]);
    expect([hints, new Set(flags)]).toEqual([{ files: false, directories: true, why }, new Set([0])]);
  });

  it('name no files where programs may lie anywhere', () => {
    const { hints } = compiled([user('  - { action: file_read, defaultEffect: allow }\n')]);
    expect(hints).toEqual({ files: false, directories: true, why: 'programs may be executed anywhere' });
  });

  it.each([
    ['default', false, true],
    ['strict', false, false],
    // It refuses a name at any depth, which no exception of default can lift.
    ['ci', false, false],
    ['claude-code', false, true],
    ['secret-free', true, true],
  ])('of the preset %s: files %s, directories %s', (name, files, directories) => {
    expect(compiled([...BUILT_IN, shipped(name, 'user')]).hints).toMatchObject({ files, directories });
  });

  it.each(['node', 'python', 'rust', 'go', 'claude-code', 'codex', 'gemini-cli', 'aider'])(
    'name files when secret-free is combined with %s',
    (name) => {
      const own = `version: 1\nname: x\nextends: [secret-free, ${name}]\n`;
      expect(compiled([...BUILT_IN, { layer: 'user', text: own }]).hints).toMatchObject({ files: true });
    },
  );

  it('are in the notes of the image', () => {
    const { image, hints } = compileTexts([...BUILT_IN, shipped('default', 'user')], ROOTS, resolve);
    expect(PolicyImage.open(image, '').meta).toMatchObject({ hints });
  });
});

it('what the default preset opens in installed trees is no finding for whoever extends it', () => {
  const own = { name: 'user:x.yaml', layer: 'user', text: 'version: 1\nname: x\nextends: [default]\n' } as const;
  const layers = readLayers([...BUILT_IN, own], resolve);
  const image = PolicyImage.open(compileLayers(layers, ROOTS).image, '');
  const findings = lintImage(image, tabulateRules(layers, ROOTS, []), ROOTS, new Set([2]));
  expect(findings.filter(({ severity }) => severity === 'warning')).toEqual([]);
});
