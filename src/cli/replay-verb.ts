import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Done } from './verbs.ts';

/** Adds what decides recorded decisions again. */
export function addReplay(program: Command, done: Done): void {
  program
    .command('replay')
    .summary('decide what is recorded again')
    .description(
      'Decide every recorded decision again by the policy that decided it; exits 1 when one disagrees or its policy is gone. With --policy: say what that would have changed; exits 1 when it changes anything.',
    )
    .option('--run <run>', 'only this run (identifier, its beginning, name, or last)')
    .option('--from <seq>', 'from this entry on', wholeNumber)
    .option('--to <seq>', 'up to this entry', wholeNumber)
    .option('--since <time>', 'from this time on: 15m, 2h, 7d, 06:30, or a date')
    .option('--log <directory>', 'log to read (default: the one of this user)')
    .option('--policy <name|file>', 'the policy to compare with, as run takes it')
    .addOption(new Option('--json', 'as JSON'))
    .action(async (options) => done(await (await import('./commands/replay.ts')).replayLog(options)));
}

function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError('It is not a whole number.');
  return Number(value);
}
