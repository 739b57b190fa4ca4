import { Command, CommanderError } from 'commander';
import { errorLine } from '../core/errors/error-line.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { VERSION } from '../core/version.ts';
import { tellUser } from './render/tell-user.ts';
import { addVerbs, type Done } from './verbs.ts';

/** Parses and does every verb but `run`, and prints the help of all. Returns the exit status; throws GatekeeperError. */
export async function runProgram(args: string[]): Promise<number> {
  stopQuietlyOnClosedPipe();
  let status = 0;
  const program = buildProgram((result) => {
    status = result;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    // Without a verb commander prints the help and has nothing to add.
    if (error.code === 'commander.help') return 2;
    throw new GatekeeperError('GK_USAGE', {
      what: error.message
        .replace(/^error: /, '')
        .replace(/\n/g, ' ')
        .replace(/\.$/, ''),
      remedy: `see: ${commandMeant(program, args)} --help`,
      cause: error,
    });
  }
  return status;
}

/** The tree of verbs with its help; also what completion scripts are made from. */
export function buildProgram(done: Done = () => {}): Command {
  const program = new Command('gatekeeper')
    .description(
      'Runs a program under a policy: every file open, spawn and connection is decided before the system call completes.',
    )
    .version(VERSION, '--version', 'print the version')
    .enablePositionalOptions()
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [verb]', 'show the help of a verb')
    .configureHelp({ sortSubcommands: false, subcommandTerm: (command) => command.name() })
    .configureOutput({ outputError: () => {} })
    .exitOverride()
    .addHelpText('after', EXAMPLES);
  addVerbs(program, done);
  for (const command of everyCommand(program)) {
    command.exitOverride().configureOutput({ outputError: () => {} });
  }
  return program;
}

/** How far the words lead into the tree of verbs: whose help tells what would have been understood. */
function commandMeant(program: Command, args: readonly string[]): string {
  let command = program;
  let path = program.name();
  for (const word of args) {
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (!next) break;
    command = next;
    path += ` ${next.name()}`;
  }
  return path;
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

let watched = false;

/** `gatekeeper audit tail | head -1` is no error. */
function stopQuietlyOnClosedPipe(): void {
  if (watched) return;
  watched = true;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    const failure = new GatekeeperError('GK_OUTPUT', { where: error.code ?? '', cause: error });
    tellUser(errorLine(failure));
    process.exit(failure.exitCode);
  });
}

const EXAMPLES = `
Examples:
  gatekeeper run -- claude                      an agent under your policy, in this directory
  gatekeeper run --policy strict -- npm test    a preset instead
  gatekeeper policy explain file_read .env      what would happen, and which rule says so
  gatekeeper net allow api.example.com:443      a destination more
  gatekeeper audit tail --denied                what was denied lately
  gatekeeper doctor                             does enforcement work on this machine?`;
