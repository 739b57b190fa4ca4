import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cacheVariables } from '../../../../src/core/policy/cache-tools.ts';
import { withheldVariables } from '../../../../src/core/policy/environment.ts';
import { PolicyError } from '../../../../src/core/policy/policy-error.ts';
import type { ResolveExtends } from '../../../../src/core/policy/source.ts';
import { compileTexts, ROOTS, type SourceText } from '../../../support/policy.ts';

const text = (body: string) => `version: 1\nname: x\n${body}`;
const user = (body: string): SourceText => ({ layer: 'user', text: text(body) });
const project = (body: string): SourceText => ({ layer: 'project', text: text(body) });
const terms = (...files: SourceText[]) => compileTexts(files).launch;
const guards: SourceText = { layer: 'guards', text: readFileSync('policies/builtin/guards.yaml', 'utf8') };
const withheld = (files: SourceText[], ...names: string[]) =>
  withheldVariables(terms(...files).env, names).map(({ name }) => name);

describe('env', () => {
  it.each([
    'GITHUB_TOKEN',
    'npm_config_//registry.example/:_authToken',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_ACCESS_KEY_ID',
    'PGPASSWORD',
    'MYSQL_PWD',
    'OPENAI_API_KEY',
    'openai_api_key',
    'GOOGLE_APPLICATION_CREDENTIALS',
    'DATABASE_URL',
    'GH_PAT',
    'SENTRY_DSN',
    'SSH_AUTH_SOCK',
    'DBUS_SESSION_BUS_ADDRESS',
    'TMUX',
    'STY',
    'KITTY_LISTEN_ON',
    'NVIM',
    'VSCODE_IPC_HOOK_CLI',
    'DOCKER_HOST',
  ])('drops %s without a word from anybody', (name) => {
    expect(withheld([guards], name)).toEqual([name]);
  });

  it.each([
    'PATH',
    'HOME',
    'PWD',
    'OLDPWD',
    'TERM',
    'LANG',
    'EDITOR',
    'SHELL',
    'XDG_RUNTIME_DIR',
    'TOKENIZERS_PARALLELISM',
    'NODE_OPTIONS',
    'PYTHONPATH',
    'CARGO_HOME',
    'JAVA_HOME',
    'GOPATH',
    'CI',
    'npm_config_cache',
    'DISPLAY',
    'GTK_KEY_THEME',
    'KEYBOARD_LAYOUT',
    'INIT_CWD',
  ])('leaves %s', (name) => {
    expect(withheld([guards], name)).toEqual([]);
  });

  it('passes what a user policy names, in exactly that spelling, and nothing else', () => {
    const files = [guards, user('env: { pass: [OPENAI_API_KEY, "AWS_*"] }')];
    expect(
      withheld(files, 'OPENAI_API_KEY', 'openai_api_key', 'AWS_SECRET_ACCESS_KEY', 'MY_AWS_KEY', 'GITHUB_TOKEN'),
    ).toEqual(['openai_api_key', 'MY_AWS_KEY', 'GITHUB_TOKEN']);
  });

  it('lets a file pass what itself and its parents drop, and no other layer', () => {
    const among: ResolveExtends = (name, from) =>
      name === 'parent' ? { name: 'user:parent', layer: from.layer, text: text('env: { drop: "P_*" }') } : null;
    const files: SourceText[] = [
      { layer: 'system', text: text('env: { drop: "S_*" }') },
      user('extends: [parent]\nenv: { drop: "A_*", pass: [A_1, P_1, S_1] }'),
    ];
    const { env } = compileTexts(files, ROOTS, among).launch;
    const names = ['A_1', 'A_2', 'P_1', 'P_2', 'S_1'];
    expect(withheldVariables(env, names)).toEqual([
      { name: 'A_2', by: 'user:1.yaml' },
      { name: 'P_2', by: 'user:parent' },
      { name: 'S_1', by: 'system:0.yaml' },
    ]);
  });

  it('hears of a project file what it drops, not what it passes, and says so', () => {
    const files = [guards, user('env: { drop: OWN }'), project('env: { drop: LANG, pass: [OWN, GITHUB_TOKEN] }')];
    expect(withheld(files, 'OWN', 'GITHUB_TOKEN', 'LANG')).toEqual(['OWN', 'GITHUB_TOKEN', 'LANG']);
    expect(compileTexts(files).warnings).toEqual([
      'project:2.yaml:3:1: pass of a project file has no effect, because it can only tighten',
    ]);
  });

  it.each([
    ['*', 'ANY', true],
    ['A*B', 'AB', true],
    ['A*B', 'A', false],
    ['AB*BC', 'ABC', false],
    ['A*B*C', 'A1B2C', true],
    ['A*B*C', 'ACB', false],
    ['A.C', 'ABC', false],
    ['**A', 'A', true],
    ['A', 'AA', false],
  ])('matches %s against %s: %s', (pattern, name, expected) => {
    expect(withheld([user(`env: { drop: "${pattern}" }`)], name).length > 0).toBe(expected);
  });

  it('comes to an end with a pattern that is made to be slow', () => {
    expect(withheld([user(`env: { drop: "${'*a'.repeat(120)}*b" }`)], 'a'.repeat(100_000))).toEqual([]);
  });

  it('is covered by the digest of the image', () => {
    const image = (body: string) => Buffer.from(compileTexts([user(body)]).image);
    expect(image('env: { drop: A }').equals(image('env: { drop: B }'))).toBe(false);
    expect(image('env: { drop: A }').equals(image('env: { drop: A }'))).toBe(true);
  });
});

describe('limits', () => {
  it('are read with their units', () => {
    const body = 'limits: { processes: 512, memory: 4GiB, cpuTime: 2h, openFiles: 4096 }';
    expect(terms(user(body)).limits).toEqual({ processes: 512, memory: 4 * 2 ** 30, cpuTime: 7200, openFiles: 4096 });
    expect(terms(user('limits: { memory: 512MiB, cpuTime: 90s }')).limits).toEqual({
      memory: 512 * 2 ** 20,
      cpuTime: 90,
    });
    expect(terms(user('')).limits).toEqual({});
  });

  it('are the strictest of all files', () => {
    const files = [
      user('limits: { processes: 100, openFiles: 64 }'),
      project('limits: { processes: 4000, openFiles: 32 }'),
    ];
    expect(terms(...files).limits).toEqual({ processes: 100, openFiles: 32 });
  });
});

describe('caches', () => {
  it("are the strictest of all files, and the user's own where nobody speaks", () => {
    const files = [
      user('caches: { npm: workspace, pip: private, go: shared }'),
      project('caches: { npm: private, pip: shared }'),
    ];
    expect(terms(...files).caches).toEqual({ npm: 'private', pip: 'private' });
  });

  it('are led to a directory by the variables of the tool', () => {
    expect(cacheVariables('npm', '/c/npm')).toEqual({ npm_config_cache: '/c/npm' });
    expect(cacheVariables('go', '/c/go')).toEqual({ GOCACHE: '/c/go/build', GOMODCACHE: '/c/go/mod' });
    expect(cacheVariables('maven', '/c/m')).toEqual({ MAVEN_ARGS: '-Dmaven.repo.local=/c/m' });
  });
});

describe('onTighten', () => {
  it.each<[string, SourceText[], string]>([
    ['nobody speaks', [user('')], 'end'],
    ['the user wants a warning', [user('onTighten: warn')], 'warn'],
    ['two want one', [user('onTighten: warn'), { layer: 'system', text: text('onTighten: warn') }], 'warn'],
    ['the system wants the end', [user('onTighten: warn'), { layer: 'system', text: text('onTighten: end') }], 'end'],
    ['a project wants the end', [user('onTighten: warn'), project('onTighten: end')], 'end'],
    ['only a project wants a warning', [user(''), project('onTighten: warn')], 'end'],
  ])('where %s', (_name, files, expected) => {
    expect(terms(...files).onTighten).toBe(expected);
  });
});

describe('what is refused', () => {
  it.each([
    ['an unknown key of env', 'env: { keep: A }', '3:8 unknown key "keep" in env'],
    ['a name with a value', 'env: { drop: "A=1" }', '3:14 "A=1" is not a pattern of variable names'],
    ['an empty name', 'env: { pass: [""] }', '3:15 "" is not a pattern of variable names'],
    ['env as a list', 'env: [A]', '3:6 env must be a mapping, not a list'],
    ['no processes at all', 'limits: { processes: 0 }', '3:22 processes must be a number of processes, from 1'],
    ['half a process', 'limits: { processes: 1.5 }', '3:22 processes must be a number of processes, from 1'],
    ['memory without a unit', 'limits: { memory: 4096 }', '3:19 memory must be an amount with its unit, from 16MiB'],
    ['memory in powers of ten', 'limits: { memory: 4GB }', '3:19 memory must be an amount with its unit, from 16MiB'],
    [
      'memory in which nothing starts',
      'limits: { memory: 1MiB }',
      '3:19 memory must be an amount with its unit, from 16MiB',
    ],
    [
      'more memory than there is',
      'limits: { memory: 9999999TiB }',
      '3:19 memory must be an amount with its unit, from 16MiB',
    ],
    ['a time without a unit', 'limits: { cpuTime: 60 }', '3:20 cpuTime must be a duration of whole seconds'],
    ['too few files', 'limits: { openFiles: 3 }', '3:22 openFiles must be a number of open files, from 16'],
    ['files as text', 'limits: { openFiles: "64" }', '3:22 openFiles must be a number of open files, from 16'],
    ['an unknown limit', 'limits: { disk: 1GiB }', '3:11 unknown key "disk" in limits'],
    ['an unknown tool', 'caches: { nmp: private }', '3:11 unknown key "nmp" in caches'],
    ['an unknown use', 'caches: { npm: own }', '3:16 unknown value "own" for a cache'],
    ['a switch', 'caches: { npm: true }', '3:16 the cache of npm must be a string, not the boolean true'],
    ['another end', 'onTighten: kill', '3:12 unknown value "kill" for onTighten'],
    ['empty limits', 'limits:', '3:8 limits must be a mapping, not empty'],
  ])('%s', (_name, body, problem) => {
    const problems = () => {
      try {
        compileTexts([user(body)]);
      } catch (error) {
        if (error instanceof PolicyError)
          return error.problems.map(({ line, column, text: what }) => `${line}:${column} ${what}`);
        throw error;
      }
      return [];
    };
    expect(problems()).toEqual([problem]);
  });
});
