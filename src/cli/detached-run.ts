import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CreateRunResponse } from '../core/contract/control-api.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { visible } from '../core/text/visible.ts';
import { knownRuns } from './known-runs.ts';
import { print } from './render/print.ts';
import { tellUser } from './render/tell-user.ts';

/**
 * Starts the supervisor in a session of its own, where neither a key nor the end of the terminal reaches it, and prints the run's
 * identifier as soon as the daemon knows that it goes on. Gives the status of one that could not be started, else 0.
 */
export async function runDetached(
  layout: HomeLayout,
  created: CreateRunResponse,
  env: NodeJS.ProcessEnv,
  argv: readonly string[],
): Promise<number> {
  const output = openOutput(layout, created.id);
  const supervisor = spawn(created.supervisor, [...created.args, '--', ...argv], {
    stdio: ['ignore', kept(1) ?? output.fd, kept(2) ?? output.fd],
    env,
    detached: true,
  });
  closeSync(output.fd);
  let ended: number | undefined;
  supervisor.once('exit', (code) => (ended = code ?? 125));
  supervisor.once('error', () => (ended = 125));
  while (!(await isStarted(layout, created.id))) {
    if (ended !== undefined) return complain(output.path, created.supervisor, supervisor.pid, ended);
    await sleep(PAUSE_MS);
  }
  supervisor.unref();
  print(created.id);
  if (kept(1) === undefined || kept(2) === undefined)
    tellUser(`gatekeeper: what it prints goes to ${visible(output.path)}`);
  return 0;
}

/** A run that has ended by now was started as well. */
async function isStarted(layout: HomeLayout, id: string): Promise<boolean> {
  const run = (await knownRuns(layout)).find((candidate) => candidate.id === id);
  return run?.state === 'running' || run?.state === 'ended';
}

/** A stream that the user sent to a file stays there. A terminal or pipe would go away, or wait for the end of the run. */
function kept(stream: number): number | undefined {
  try {
    return fstatSync(stream).isFile() ? stream : undefined;
  } catch {
    return undefined;
  }
}

/** Out of the run's reach by name: it has the descriptor alone. The oldest ones make room. */
function openOutput(layout: HomeLayout, id: string): { path: string; fd: number } {
  const directory = join(layout.state, 'output');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(directory).sort().slice(0, -KEPT)) rmSync(join(directory, name), { force: true });
  const path = join(directory, `${id}.log`);
  return { path, fd: openSync(path, 'ax', 0o600) };
}

/** What the supervisor had to say went to the output: nobody would look for it there. */
function complain(path: string, program: string, pid: number | undefined, status: number): number {
  if (pid === undefined) throw new GatekeeperError('GK_SUPERVISOR_START', { where: program });
  if (kept(2) === undefined) for (const line of lines(path)) tellUser(visible(line));
  return status;
}

const lines = (path: string): string[] => readFileSync(path, 'utf8').split('\n').filter(Boolean).slice(0, 20);

const PAUSE_MS = 20;
const KEPT = 100;
