import { describe, expect, it } from 'vitest';
import { parseRunArguments } from '../../../src/cli/run-arguments.ts';

const plain = {
  netAllow: [],
  simulate: false,
  enforce: 'kernel',
  verbose: false,
  detach: false,
  hooks: true,
  quietHook: false,
};

describe('parseRunArguments', () => {
  it.each([
    ['everything after -- is the command', ['--', 'ls', '-l', '--help'], { argv: ['ls', '-l', '--help'] }],
    ['the command may stand without --', ['ls', '--name', 'x'], { argv: ['ls', '--name', 'x'] }],
    ['a second -- belongs to the command', ['--', 'git', 'log', '--', 'a'], { argv: ['git', 'log', '--', 'a'] }],
    ['a lone dash is a command', ['-'], { argv: ['-'] }],
    ['an empty word is a command, which the supervisor will not find', [''], { argv: [''] }],
    [
      'values stand apart or after =',
      ['--policy', 'strict', '--name=a-b', '--', 'x'],
      { argv: ['x'], policy: 'strict', name: 'a-b' },
    ],
    ['--net-allow adds up', ['--net-allow', 'a:1', '--net-allow=b', 'x'], { argv: ['x'], netAllow: ['a:1', 'b'] }],
    [
      'flags',
      ['--simulate', '--verbose', '--detach', '--enforce', 'kernel', '--no-hooks', '--quiet-hook', 'x'],
      { argv: ['x'], simulate: true, verbose: true, detach: true, hooks: false, quietHook: true },
    ],
    ['the weaker level is named', ['--enforce=hook', 'x'], { argv: ['x'], enforce: 'hook' }],
  ])('%s', (_name, args, expected) => {
    expect(parseRunArguments(args)).toEqual({ ...plain, ...expected });
  });

  it.each([
    ['an unknown option', ['--polic', 'x'], 'run has no option --polic'],
    ['a name of the object prototype', ['--constructor', 'x'], 'run has no option --constructor'],
    ['no command', ['--simulate'], 'run needs a command'],
    ['no command after --', ['--'], 'run needs a command'],
    ['an option without its value', ['--policy'], '--policy needs a policy'],
    ['an option with an empty value', ['--policy=', 'x'], '--policy needs a policy'],
    ['a value for a flag', ['--simulate=no', 'x'], '--simulate takes no value'],
    ['an option twice', ['--policy', 'a', '--policy', 'b', 'x'], '--policy is given twice'],
    ['a name with a blank', ['--name', 'a b', 'x'], '--name a b is no name for a run'],
    ['a name that is a path', ['--name', '../x', 'x'], '--name ../x is no name for a run'],
    ['a name that ends in a newline', ['--name', 'x\n', 'x'], '--name x\n is no name for a run'],
    ['a level that does not exist', ['--enforce', 'none', 'x'], 'there is no enforcement level none'],
    [
      'a level without what it enforces by',
      ['--enforce', 'hook', '--no-hooks', 'x'],
      '--enforce=hook and --no-hooks leave nothing that decides',
    ],
  ])('refuses %s', (_name, args, what) => {
    expect(() => parseRunArguments(args)).toThrow(expect.objectContaining({ code: 'GK_USAGE', what }));
  });

  it('asks for help only before the command', () => {
    expect(parseRunArguments(['--simulate', '--help'])).toBe('help');
    expect(parseRunArguments(['x', '--help'])).toEqual({ ...plain, argv: ['x', '--help'] });
  });
});
