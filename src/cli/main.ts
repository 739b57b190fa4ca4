#!/usr/bin/env node
import { run } from './commands/run.ts';
import { exitStatus } from './exit-status.ts';
import { parseRunArguments } from './run-arguments.ts';

/**
 * `run` is started at every command of an agent, so it gets by without the parser that the other verbs share. What starts is not this module but
 * dist/cli/gatekeeper.cjs, which scripts/bundle.ts makes of it and all that it imports: to find and link each for itself takes as long as
 * everything that `run` does.
 */
async function main(args: string[]): Promise<number> {
  const own = args[0] === 'run' ? parseRunArguments(args.slice(1)) : 'help';
  if (own !== 'help') return await run(own);
  return await (await import('./other-verbs.ts')).otherVerb(args);
}

void exitStatus(() => main(process.argv.slice(2))).then((status) => {
  process.exitCode = status;
});
