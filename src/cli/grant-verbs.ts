import { type Command, Option } from 'commander';
import type { Done } from './verbs.ts';

/** Adds what is beneath `grants`. */
export function addGrants(program: Command, done: Done): void {
  const grants = program
    .command('grants')
    .summary('answer what rules ask')
    .description(
      'List, make and revoke standing answers to rules that ask. A grant answers rules whose effect is ask, and nothing else.',
    );
  grants
    .command('list')
    .description('List what is granted.')
    .addOption(json())
    .action(async (options) => done(await (await import('./commands/grants.ts')).grantsList(options)));
  grants
    .command('add')
    .description(
      'Allow what a rule asks about, for an hour unless said otherwise. Runs that go on take notice. Says which rule it answers.',
    )
    .argument('<action>', 'file_read, file_write, file_delete, shell_exec, network, unix_socket')
    .argument('<subject...>', 'path, command or destination, exactly as it is meant')
    .addOption(
      new Option('--run <run>', 'as long as this run (identifier, its beginning, or name)').conflicts([
        'for',
        'always',
      ]),
    )
    .addOption(new Option('--for <duration>', 'for so long: 30s, 10m, 2h, 7d').conflicts('always'))
    .option('--always', 'until it is revoked')
    .option('--pattern', 'the subject is a pattern as in rules')
    .option('--policy <policy>', 'policy file or preset to look for the rule in, in place of your own')
    .addOption(json())
    .allowUnknownOption()
    .action(async (action, subject, options) =>
      done(await (await import('./commands/grants.ts')).grantsAdd(action, subject, options)),
    );
  grants
    .command('revoke')
    .description('Revoke a grant. Runs that go on take notice.')
    .argument('[id]', 'as the list names it')
    .option('--all', 'all of them')
    .addOption(json())
    .action(async (id, options) => done(await (await import('./commands/grants.ts')).grantsRevoke(id, options)));
}

const json = (): Option => new Option('--json', 'as JSON');
