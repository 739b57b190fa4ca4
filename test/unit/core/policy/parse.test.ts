import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../../src/core/policy/parse.ts';
import { PolicyError } from '../../../../src/core/policy/policy-error.ts';
import { compileTexts } from '../../../support/policy.ts';

function problemsOf(text: string): string[] {
  try {
    parsePolicy({ name: 'user:policy.yaml', path: 'policy.yaml', layer: 'user', text });
    compileTexts([{ layer: 'user', name: 'policy.yaml', text }]);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return error.problems.map(({ line, column, text: what }) => `${line}:${column} ${what}`);
  }
  return [];
}

const HEAD = 'version: 1\nname: x\n';
const rules = (action: string, ...lines: string[]) =>
  `${HEAD}policies:\n  - action: ${action}\n    rules:\n${lines.map((line) => `      - ${line}\n`).join('')}`;

describe('parsePolicy refuses', () => {
  it.each([
    ['an empty file', '', ['1:1 the file is empty']],
    ['a comment alone', '# nothing\n', ['1:1 the file is empty']],
    [
      'a list',
      '- a\n',
      ['1:1 a policy must be a mapping, not a list', '1:1 version is missing', '1:1 name is missing'],
    ],
    ['a missing name', 'version: 1\n', ['1:1 name is missing']],
    ['another version', 'version: 2\nname: x\n', ['1:10 version must be 1']],
    ['a version in quotes', 'version: "1"\nname: x\n', ['1:10 version must be 1']],
    ['a name that is a number', 'version: 1\nname: 12\n', ['2:7 name must be a string, not the number 12']],
    ['an unknown key', `${HEAD}polices: []\n`, ['3:1 unknown key "polices" in a policy']],
    ['a duplicate key', `${HEAD}name: y\n`, ['3:1 the same key occurs twice']],
    [
      'an alias',
      `${HEAD}description: &a text\nextends: *a\n`,
      ['3:17 anchors are not supported', '4:10 aliases are not supported'],
    ],
    ['a tag', `${HEAD}description: !!binary aGk=\n`, ['3:23 tags are not supported']],
    [
      'two documents',
      `${HEAD}---\n${HEAD}`,
      ['3:1 Source contains multiple documents; please use YAML.parseAllDocuments()'],
    ],
    [
      'bad YAML',
      `${HEAD}policies: [\n`,
      ['4:1 Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    ['an unknown action', `${HEAD}policies:\n  - action: file_raed\n`, ['4:13 unknown action "file_raed"']],
    [
      'tool calls, which are not enforced',
      `${HEAD}policies:\n  - action: tool_call\n`,
      ['4:13 unknown action "tool_call"'],
    ],
    ['a missing action', `${HEAD}policies:\n  - rules: []\n`, ['4:5 action is missing']],
    [
      'mixed targets',
      `${HEAD}policies:\n  - action: [file_read, network]\n`,
      ['4:13 actions with different kinds of targets cannot share a block'],
    ],
    ['an unknown effect', rules('file_read', '{ path: "./x", effect: alow }'), ['6:32 unknown effect "alow"']],
    ['a rule without effect', rules('file_read', '{ path: "./x" }'), ['6:9 effect is missing']],
    ['a rule without target', rules('file_read', '{ effect: deny }'), ['6:9 path is missing']],
    [
      'a command in a file rule',
      rules('file_read', '{ command: "x", effect: deny }'),
      ['6:11 unknown key "command" in a rule of file_read', '6:9 path is missing'],
    ],
    [
      'a path that is a number',
      rules('file_read', '{ path: 12, effect: deny }'),
      ['6:17 path must be a string, not the number 12'],
    ],
    [
      'an override of deny',
      rules('file_read', '{ path: "./x", effect: deny, override: true }'),
      ['6:48 override on a deny rule has no meaning'],
    ],
    [
      'an override in words',
      rules('file_read', '{ path: "./x", effect: allow, override: yes }'),
      ['6:49 override must be true or false, not "yes"'],
    ],
    [
      'a bad duration',
      rules('shell_exec', '{ command: x, effect: ask, timeout: 5 minutes }'),
      ['6:45 "5 minutes" is not a duration'],
    ],
    [
      'a timeout of an allow',
      rules('shell_exec', '{ command: x, effect: allow, timeout: 5m }'),
      ['6:38 timeout belongs to ask rules only'],
    ],
    [
      'children of a file rule',
      rules('file_read', '{ path: x, effect: allow, children: check }'),
      ['6:35 unknown key "children" in a rule of file_read'],
    ],
    [
      'odd children',
      rules('shell_exec', '{ command: x, effect: allow, children: no }'),
      ['6:48 unknown value "no" for children'],
    ],
    [
      'hiding what may be read',
      rules('file_read', '{ path: x, effect: allow, hide: true }'),
      ['6:35 hide belongs to deny rules of file_read only'],
    ],
    [
      'hiding from writing',
      rules('file_write', '{ path: x, effect: deny, hide: true }'),
      ['6:34 hide belongs to deny rules of file_read only'],
    ],
    [
      'methods of a file rule',
      rules('file_read', '{ path: x, effect: allow, methods: [GET] }'),
      ['6:35 unknown key "methods" in a rule of file_read'],
    ],
    [
      'odd methods',
      rules('network', '{ destination: x.test, effect: allow, methods: [get, CONNECT, "", PUT] }'),
      [
        '6:57 "get" is not a method of requests',
        '6:62 "CONNECT" is not a method of requests',
        '6:71 "" is not a method of requests',
      ],
    ],
    [
      'odd paths of requests',
      rules('network', '{ destination: [x.test, y.test], effect: allow, paths: [v1, /a/../b, /a//b] }'),
      [
        '6:65 paths "v1": the path of a request starts with a slash',
        '6:72 paths "/a/../b": a pattern cannot hold ..',
        '6:78 paths "/a//b": a pattern cannot hold two slashes in a row',
      ],
    ],
    ['a bad variable name', `${HEAD}variables: { a-b: x }\n`, ['3:14 "a-b" is not a name for a variable']],
  ])('%s', (_, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: the policy's own variables
  it('a bad pattern, at its own place', () => {
    const bad = (action: string, pattern: string, subject = 'path') =>
      problemsOf(rules(action, `{ ${subject}: ${JSON.stringify(pattern)}, effect: deny }`)).map((line) =>
        line.replace(/"(\\.|[^"])*": /, ''),
      );
    expect(bad('file_read', '!./x')).toEqual(['6:18 path negation is not supported']);
    expect(bad('file_read', './a/../b')).toEqual(['6:21 path a pattern cannot hold ..']);
    expect(bad('file_read', './@(a|b)')).toEqual(['6:19 path extended globs like @(…) are not supported']);
    expect(bad('file_read', './a***')).toEqual(['6:20 path 3 asterisks in a row have no meaning']);
    expect(bad('file_read', './{a,b')).toEqual(['6:19 path braces are not balanced']);
    expect(bad('file_read', './{a..c}')).toEqual(['6:19 path braces without a comma have no meaning here']);
    expect(bad('file_read', './[a')).toEqual(['6:19 path a bracket is not closed']);
    expect(bad('file_read', './[[:alpha:]]')).toEqual(['6:19 path named classes like [:alpha:] are not supported']);
    expect(bad('file_read', './[b-a]')).toEqual(['6:19 path a range in brackets runs backwards']);
    expect(bad('file_read', './a//b')).toEqual(['6:18 path a pattern cannot hold two slashes in a row']);
    expect(bad('file_read', './a/./b')).toEqual(['6:21 path a pattern can hold . at the start only']);
    expect(bad('file_read', '')).toEqual(['6:18 path an empty pattern matches nothing']);
    expect(bad('file_read', '~other/x')).toEqual(["6:18 path another user's home cannot be named with ~"]);
    expect(bad('file_read', '/.ssh/**')).toEqual(['6:19 path /.ssh names something in the root directory']);
    expect(bad('file_read', '${HOME}/x')).toEqual(['6:18 path undefined variable "HOME"']);
    expect(bad('file_read', 'x/${home}')).toEqual(['6:20 path ${home} can stand at the start of a pattern only']);
    expect(bad('file_read', '${home}x')).toEqual(['6:25 path a directory must be followed by a slash']);
    expect(bad('shell_exec', 'a\nb', 'command')).toEqual(['6:20 command a command is one line of words']);
    expect(bad('shell_exec', '../x *', 'command')).toEqual(['6:21 command a path cannot hold ..']);
  });

  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: the policy's own variables

  it('more than one thing at once', () => {
    expect(
      problemsOf(rules('file_read', '{ path: "!a", effect: deny }', '{ path: "../b", effect: deny }')),
    ).toHaveLength(2);
  });

  it('with one line that names file, place, fault and remedy', () => {
    const text = rules('file_read', '{ path: "./x", effect: alow }');
    expect(() => parsePolicy({ name: 'user:p', path: 'policy.yaml', layer: 'user', text })).toThrow(
      'policy.yaml:6:32: unknown effect "alow"; effects are allow, deny, ask, shadow',
    );
  });

  it('without passing control characters of the file on', () => {
    const text = rules('file_read', '{ path: "./x", effect: "a\\u001b[2Jb" }');
    expect(() => parsePolicy({ name: 'user:p', layer: 'user', text })).toThrow(/^[^\p{Cc}]*$/u);
  });
});

describe('parsePolicy reads', () => {
  it('JSON, and YAML in which `no` is a word', () => {
    const json = JSON.stringify({
      version: 1,
      name: 'j',
      policies: [{ action: 'file_read', rules: [{ path: ['a', 'b'], effect: 'deny' }] }],
    });
    expect(
      parsePolicy({ name: 'j', layer: 'user', text: json }).blocks[0]?.rules[0]?.subjects.map(({ text }) => text),
    ).toEqual(['a', 'b']);
    expect(parsePolicy({ name: 'y', layer: 'user', text: 'version: 1\nname: no\n' }).name).toBe('no');
  });

  it('an empty list as nothing', () => {
    expect(problemsOf(rules('file_read', '{ path: [], effect: deny }'))).toEqual([]);
  });
});

describe('a file made to be slow', () => {
  it.each([
    ['keys', `version: 1\n${Array.from({ length: 20_000 }, (_, index) => `k${index}: 1\n`).join('')}`],
    ['brackets', '['.repeat(50_000)],
    [
      'aliases',
      `version: 1\nname: &a [x, x]\n${Array.from({ length: 30 }, (_, index) => `k${index}: &b${index} [*a, *a]\n`).join('')}`,
    ],
  ])('by many %s is refused and not worked through', (_, text) => {
    expect(problemsOf(text).length).toBeGreaterThan(0);
  });
});
