import { type Command, Option } from 'commander';
import type { Done } from './verbs.ts';

/** Adds what is beneath `net`. */
export function addNet(program: Command, done: Done): void {
  const net = program
    .command('net')
    .summary('list, change, watch and suggest allowed destinations')
    .description(
      'List and change the destinations in your policy, watch what runs try to reach, and get rules for it.',
    );
  net
    .command('list')
    .summary('list the rules for destinations')
    .description(
      'List the rules for destinations in force here, in all layers; or those of a run, with what its command line said.',
    )
    .option('--run <run>', 'in force in this run (identifier, its beginning, or name)')
    .addOption(new Option('--policy <policy>', 'policy file or preset, in place of your own').conflicts('run'))
    .addOption(json())
    .action(async (options) => done(await (await import('./commands/net.ts')).netList(options)));
  addChanges(net, done);
  net
    .command('watch')
    .summary('see what runs try to reach, as it happens')
    .description(
      'Show which destinations runs try to reach, as it happens: a table on a terminal, lines elsewhere. Ends with Ctrl-C, or with the run.',
    )
    .option('--run <run>', 'only this run, from its start (identifier, its beginning, or name)')
    .addOption(json())
    .action(async (options) => done(await (await import('./commands/net-watch.ts')).netWatch(options)));
  net
    .command('suggest')
    .summary('get the least rules for what a run was refused')
    .description(
      'Print the least rules that allow what a run was refused because no rule allowed it. Names come from the run: read them before you allow them.',
    )
    .argument('[run]', 'identifier, its beginning, or name; also of one that has ended (default: the latest)')
    .option('--apply', 'write them into your policy; asks on a terminal')
    .option('--yes', 'do not ask')
    .addOption(json())
    .action(async (run, options) => done(await (await import('./commands/net-suggest.ts')).netSuggest(run, options)));
}

function addChanges(net: Command, done: Done): void {
  for (const [verb, summary, description] of [
    ['allow', 'allow destinations in your policy', 'Allow destinations in your policy.'],
    ['deny', 'deny destinations in your policy', 'Deny destinations in your policy.'],
    [
      'remove',
      'take destinations out of your policy',
      'Take destinations out of your policy, whatever its rules say of them.',
    ],
  ] as const) {
    const command = net
      .command(verb)
      .summary(summary)
      .description(`${description} All or none; says what holds from then on, here and in runs that go on.`)
      .argument('<destination...>', 'host, *.suffix, address, range or localhost, optionally with :port');
    if (verb !== 'remove') command.option('--reason <text>', 'why, kept with the rule and shown with refusals');
    command
      .addOption(json())
      .action(async (destinations, options) =>
        done(await (await import('./commands/net.ts')).netChange(verb, destinations, options)),
      );
  }
}

const json = (): Option => new Option('--json', 'as JSON');
