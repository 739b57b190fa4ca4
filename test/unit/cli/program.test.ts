import { afterEach, expect, it, vi } from 'vitest';
import { buildProgram, runProgram } from '../../../src/cli/program.ts';
import { RUN_OPTIONS } from '../../../src/cli/run-arguments.ts';

afterEach(() => vi.restoreAllMocks());

it.each([
  ['an unknown verb, with a guess', ['pss'], "unknown command 'pss' (Did you mean ps?)"],
  ['an unknown option', ['ps', '--al'], "unknown option '--al' (Did you mean --all?)"],
  ['a missing argument', ['kill'], "missing required argument 'run'"],
  ['a number that is none', ['audit', 'show', '1e3'], /is no number of an entry$/],
  ['a count that is none', ['audit', 'tail', '-n', '1e3'], /It is not a whole number$/],
])('refuses %s', async (_name, args, what) => {
  await expect(runProgram(args)).rejects.toMatchObject({
    code: 'GK_USAGE',
    what: what instanceof RegExp ? expect.stringMatching(what) : what,
  });
});

it.each([
  [['audit', 'tail', '-n', 'x'], 'see: gatekeeper audit tail --help'],
  [['audit', 'tial'], 'see: gatekeeper audit --help'],
  [['pss'], 'see: gatekeeper --help'],
])('names the help of the verb that was meant: %s', async (args, remedy) => {
  await expect(runProgram(args)).rejects.toMatchObject({ code: 'GK_USAGE', remedy });
});

it('shows the options of run that its own parser knows, and no others', () => {
  const run = buildProgram().commands.find((command) => command.name() === 'run');
  expect(run?.options.map(({ long }) => long)).toEqual(RUN_OPTIONS.map(({ long }) => long));
});

it('prints the help of a verb and exits 0', async () => {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  expect(await runProgram(['policy', 'explain', '--help'])).toBe(0);
  expect(written.mock.calls.join('')).toContain('Exits 0 when allowed');
});

it('offers --json wherever something is listed or changed', () => {
  const without = buildProgram()
    .commands.flatMap((command) => (command.commands.length > 0 ? command.commands : [command]))
    .filter((command) => !command.options.some(({ long }) => long === '--json'))
    .map((command) => command.name());
  // What they print is for programs anyway.
  expect(without).toEqual(['run', 'export', 'prove', 'run', 'completion']);
});
