import { type Command, Option } from 'commander';
import { addAudit } from './audit-verbs.ts';
import { addGrants } from './grant-verbs.ts';
import { addNet } from './net-verbs.ts';
import { addPolicy } from './policy-verbs.ts';
import { addReplay } from './replay-verb.ts';
import { RUN_OPTIONS, type RunOption } from './run-arguments.ts';

/** Takes the exit status of the verb that was done. */
export type Done = (status: number) => void;

/** Adds every verb. Each loads its own module when it is used, so that none pays for the others. */
export function addVerbs(program: Command, done: Done): void {
  addRun(program);
  addRuns(program, done);
  addNet(program, done);
  addPolicy(program, done);
  addGrants(program, done);
  addAudit(program, done);
  addReplay(program, done);
  addDaemon(program, done);
  addRest(program, done);
}

function addRun(program: Command): void {
  const run = program
    .command('run')
    .summary('run a command under the policy')
    .description(
      'Run a command under the policy. Exits with its status (128+n for a signal), or 125 when it could not be started.',
    )
    .usage('[options] -- COMMAND [ARGUMENT...]')
    .argument('[command...]', 'the command and its arguments, passed on untouched')
    .passThroughOptions();
  for (const { long, value, text } of RUN_OPTIONS as readonly RunOption[]) {
    run.option(value ? `${long} <${value}>` : long, text);
  }
}

function addRuns(program: Command, done: Done): void {
  program
    .command('ps')
    .summary('list runs')
    .description('List the runs that are going on.')
    .option('-a, --all', 'the ended ones as well')
    .addOption(json())
    .action(async (options) => done(await (await import('./commands/ps.ts')).ps(options)));
  program
    .command('kill')
    .summary('end runs')
    .description('End runs and everything that they started.')
    .argument('<run...>', 'identifier, its beginning, or name')
    .addOption(json())
    .action(async (runs, options) => done(await (await import('./commands/kill.ts')).kill(runs, options)));
}

function addDaemon(program: Command, done: Done): void {
  const daemon = program
    .command('daemon')
    .summary('start, stop and watch the daemon')
    .description('Start, stop and watch the daemon; run starts it by itself.');
  for (const [verb, description] of [
    ['start', 'Start the daemon if it does not run.'],
    ['stop', 'Stop the daemon; runs go on under the policy that they have, without names, until it is back.'],
    ['status', 'Say whether it runs, and its figures. Exits 1 when it does not run.'],
  ] as const) {
    daemon
      .command(verb)
      .description(description)
      .addOption(json())
      .action(async (options) => done(await (await import('./commands/daemon.ts')).daemonVerb(verb, options)));
  }
  daemon
    .command('run')
    .description('Run the daemon in the foreground, with its log on standard error.')
    .action(async () => done(await (await import('./commands/daemon.ts')).daemonRun()));
}

function addRest(program: Command, done: Done): void {
  program
    .command('doctor')
    .summary('check what enforcement needs')
    .description(
      'Check what enforcement needs: the static facts, then a real run that tries an open, a write, a spawn and a connection.',
    )
    .option('--static', 'only the facts that need neither daemon nor run')
    .addOption(json())
    .action(async (options) => done(await (await import('./commands/doctor.ts')).doctor(options)));
  program
    .command('completion')
    .summary('print a completion script')
    .description('Print a completion script for a shell, as in: source <(gatekeeper completion bash)')
    .argument('<shell>', 'bash, zsh or fish')
    .action(async (shell) => done(await (await import('./commands/completion.ts')).completion(shell, program)));
  program
    .command('version')
    .summary('print the version')
    .description('Print the version, and the daemon’s when it runs.')
    .addOption(json())
    .action(async (options) => done(await (await import('./commands/version.ts')).version(options)));
}

const json = (): Option => new Option('--json', 'as JSON');
