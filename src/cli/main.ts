#!/usr/bin/env node
import { errorLine } from '../core/errors/error-line.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { tellUser } from './render/tell-user.ts';
import { parseRunArguments } from './run-arguments.ts';

process.exitCode = await main(process.argv.slice(2));

/** `run` is started at every command of an agent, so it gets by without the parser that the other verbs share. */
async function main(args: string[]): Promise<number> {
  try {
    const run = args[0] === 'run' ? parseRunArguments(args.slice(1)) : 'help';
    if (run !== 'help') return await (await import('./commands/run.ts')).run(run);
    return await (await import('./program.ts')).runProgram(args);
  } catch (error) {
    tellUser(errorLine(error));
    if (process.env['GATEKEEPER_DEBUG'] && error instanceof Error) tellUser(error.stack ?? '');
    return error instanceof GatekeeperError ? error.exitCode : 125;
  }
}
