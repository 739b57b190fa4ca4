import { describe, expect, it } from 'vitest';
import { canonicalCommand } from '../../../../src/core/engine/command-text.ts';
import { decideCommand, decidePath } from '../../../../src/core/engine/decide.ts';
import { PolicyImage } from '../../../../src/core/engine/image.ts';
import { literalCommand, literalPath } from '../../../../src/core/policy/literal-pattern.ts';
import { bytes, compileTexts } from '../../../support/policy.ts';

const ASKING = `version: 1
name: asking
policies:
  - { action: file_read, rules: [{ path: "/**", effect: ask }] }
  - { action: shell_exec, rules: [{ command: "*", effect: ask }] }
`;
const granting = (action: 'file_read' | 'shell_exec', pattern: string): PolicyImage => {
  const grants = [{ id: 'g', action, pattern, until: 0 }];
  return PolicyImage.open(compileTexts([{ layer: 'user', text: ASKING }], undefined, undefined, grants).image, '');
};

describe('the pattern of a path', () => {
  it.each([
    ['/home/u/p/a.txt', ['/home/u/p/axtxt', '/home/u/p', '/home/u/p/a.txt/b']],
    ['/.hidden', ['/xhidden']],
    ['/a/*', ['/a/b']],
    ['/a/[ab]?{c,d}', ['/a/a-c', '/a/bxd']],
    [`/a/\${home}/~`, ['/home/u']],
    ['/a\\b/!c d"e\'f', ['/a/b']],
    ['/ü/日本', ['/u/日本']],
  ])('takes %s and nothing else', (path, others) => {
    const image = granting('file_read', literalPath(path));
    expect(decidePath(image, 'file_read', bytes(path)).effect).toBe('allow');
    for (const other of others) expect(decidePath(image, 'file_read', bytes(other)).effect).toBe('ask');
  });
});

describe('the pattern of a command', () => {
  const words = (list: readonly string[]) => canonicalCommand(list.map(bytes));
  const effect = (image: PolicyImage, list: readonly string[]) => {
    const base = list[0]!.slice(list[0]!.lastIndexOf('/') + 1);
    const path = list[0]!.includes('/') ? list[0]! : `/usr/bin/${list[0]}`;
    return decideCommand(image, words([base, ...list.slice(1)]), words([path, ...list.slice(1)]), false).effect;
  };

  it.each<[string[], string[][]]>([
    [
      ['git', 'push', 'origin', 'main'],
      [
        ['git', 'push', 'origin'],
        ['git', 'push', 'origin', 'main', '--force'],
        ['git', 'push origin main'],
      ],
    ],
    [
      ['rm', '*'],
      [['rm', 'a'], ['rm']],
    ],
    [
      ['echo', 'a  b', '', ' '],
      [
        ['echo', 'a b', '', ' '],
        ['echo', 'a', 'b', '', ' '],
      ],
    ],
    [['echo', "it's", '"$HOME"', '\\', `\${home}`, '~'], [['echo', "it's"]]],
    [
      ['/opt/tool.d/run', '?x'],
      [
        ['/opt/toolxd/run', '?x'],
        ['/opt/tool.d/run', 'ax'],
        ['/usr/bin/run', '?x'],
      ],
    ],
    [['make'], [['make', 'all']]],
  ])('takes %j and nothing else', (command, others) => {
    const image = granting('shell_exec', literalCommand(new TextDecoder().decode(words(command))));
    expect(effect(image, command)).toBe('allow');
    for (const other of others) expect(effect(image, other)).toBe('ask');
  });
});
