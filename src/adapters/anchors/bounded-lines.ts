import { spawn } from 'node:child_process';

export type ProgramLimits = { mostBytes: number; milliseconds: number };

/**
 * Starts a program of the user's own or the system's, outside of every run, with nothing of this process's environment, and gives its output line by line.
 * @param line returns false when nothing more is wanted, which ends the program
 * @throws Error when it cannot be started, fails, says more than is read or takes too long
 */
export async function eachLine(
  argv: readonly string[],
  { mostBytes, milliseconds }: ProgramLimits,
  line: (text: string) => boolean,
): Promise<void> {
  const child = spawn(argv[0]!, argv.slice(1), { cwd: '/', env: CLEAN, stdio: ['ignore', 'pipe', 'pipe'] });
  let problem: string | undefined;
  let enough = false;
  const stop = (why?: string) => {
    problem ??= why;
    enough = true;
    child.kill('SIGKILL');
    child.stdout.destroy();
    child.stderr.destroy(); // which something that it started may hold
  };
  const timer = setTimeout(() => stop(`${argv[0]} takes longer than ${milliseconds / 1000} s`), milliseconds);
  let said = '';
  child.stderr.on('data', (chunk) => {
    if (said.length < MOST_SAID) said += String(chunk);
  });
  let rest = '';
  let bytes = 0;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    bytes += chunk.length;
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      if (enough) return;
      if (!line(text)) stop();
    }
    if (!enough && bytes > mostBytes) stop(`${argv[0]} says more than is read`);
  });
  try {
    const status = await ended(child);
    if (problem !== undefined) throw new Error(problem);
    if (!enough && rest !== '') line(rest);
    if (!enough && status !== 0) throw new Error(said.trim().split('\n').at(-1) || `${argv[0]} ended with ${status}`);
  } finally {
    clearTimeout(timer);
  }
}

export function ended(child: ReturnType<typeof spawn>): Promise<number | string | null> {
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (status, signal) => done(status ?? signal));
  });
}

export const CLEAN = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' };
const MOST_SAID = 4096;
