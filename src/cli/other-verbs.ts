import { exitStatus } from './exit-status.ts';
import { runProgram } from './program.ts';

/** Any verb but `run`, to its exit status. Never rejects: the file that `run` is built into has a GatekeeperError of its own, and would not know ours. */
export const otherVerb = (args: string[]): Promise<number> => exitStatus(() => runProgram(args));
