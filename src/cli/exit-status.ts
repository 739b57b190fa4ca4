import { errorLine } from '../core/errors/error-line.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { tellUser } from './render/tell-user.ts';

/** The exit status that the work comes to; a failure is told to the user in one line and has a status too. */
export async function exitStatus(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    tellUser(errorLine(error));
    if (process.env['GATEKEEPER_DEBUG'] && error instanceof Error) tellUser(error.stack ?? '');
    return error instanceof GatekeeperError ? error.exitCode : 125;
  }
}
