import { userInfo } from 'node:os';
import { homeLayout } from '../core/contract/home-layout.ts';
import { asGatekeeperError, errorLine } from '../core/errors/error-line.ts';
import { runDaemon } from './run-daemon.ts';

/**
 * The daemon's process. It takes nothing from the place it was started in, and an error that nobody foresaw ends it: the supervisors
 * keep deciding without it, while a daemon in an unknown state could answer wrongly.
 */
process.umask(0o077);
process.chdir('/');
// Node starts its debugger on SIGUSR1, which anybody of this user could send; with a listener it does not.
process.on('SIGUSR1', () => undefined);
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error) => {
    say(errorLine(error));
    if (process.env['GATEKEEPER_DEBUG'] && error instanceof Error) say(error.stack ?? '');
    process.exit(70);
  });
}

const { homedir, uid } = userInfo();
try {
  const layout = homeLayout({ passwdHome: homedir, uid, env: process.env });
  await runDaemon(layout, { passwdHome: homedir, uid }, say);
} catch (error) {
  say(errorLine(error));
  process.exit(asGatekeeperError(error).exitCode);
}

/** Standard error is the daemon's log, or the terminal of `daemon run`. */
function say(line: string): void {
  process.stderr.write(`${line.startsWith('gatekeeper:') ? line : `gatekeeper: ${line}`}\n`);
}
