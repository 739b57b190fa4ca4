import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname } from 'node:path';

export type Outcome = {
  stdout: string;
  stderr: string;
  /** As a shell says it: 128+n when signal n ended it. */
  status: number;
};

export type BareOptions = {
  cwd: string;
  env?: Record<string, string> | undefined;
  /** Given on standard input, which is empty otherwise. */
  input?: string | Uint8Array | undefined;
  user?: Account | undefined;
  timeoutMs?: number | undefined;
};

/** An account of the password database, to run as. Only root can choose one. */
export type Account = { name: string; uid: number; gid: number; home: string };

/** Runs a command as it is, without gatekeeper, and collects what it prints. Never throws for what the command does. */
export function bare(argv: readonly string[], options: BareOptions): Promise<Outcome> {
  const { cwd, env = {}, input, user, timeoutMs = 120_000 } = options;
  return new Promise((done, fail) => {
    const child = spawn(argv[0]!, argv.slice(1), {
      cwd,
      env: { ...plainEnvironment(user), ...env },
      stdio: 'pipe',
      // A session of its own: a test's terminal is not the command's, and a time-out ends the whole group.
      detached: true,
      ...(user ? { uid: user.uid, gid: user.gid } : {}),
    });
    const timer = setTimeout(() => killGroup(child.pid), timeoutMs);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk) => stdout.push(chunk));
    child.stderr.on('data', (chunk) => stderr.push(chunk));
    // A command that does not read its input closes it: EPIPE is its right.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.once('error', fail);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      done({
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
        status: code ?? 128 + signalNumber(signal),
      });
    });
  });
}

/** What a test inherits of its surroundings: the way to programs, and nothing that makes output differ between machines. */
export function plainEnvironment(user?: Account): Record<string, string> {
  const home = user?.home ?? process.env['HOME'] ?? '/';
  return {
    PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
    HOME: home,
    LANG: 'C.UTF-8',
    // Without it bash takes the socket that Node gives it as standard input for a remote login, and reads ~/.bashrc.
    SHLVL: '1',
    TZ: 'UTC',
    ...(user ? { USER: user.name, LOGNAME: user.name } : {}),
  };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : (constants.signals[signal] ?? 0);
}
