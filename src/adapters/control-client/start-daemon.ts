import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { API, type DaemonStatus } from '../../core/contract/control-api.ts';
import type { HomeLayout } from '../../core/contract/home-layout.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { ensurePrivateDirectory } from '../process/private-directory.ts';
import { requestControl } from './request.ts';

export type StartDaemonOptions = {
  /** Absolute path of the daemon's entry module. */
  entry: string;
  env: NodeJS.ProcessEnv;
  /** Called once when the daemon takes longer than a second. */
  onWait?: (() => void) | undefined;
};

/**
 * Returns when a daemon answers: the one that runs already, or one started now in a session of its own with its output in the log.
 * Two callers at once are harmless: the daemon's lock lets one of the two live, and both callers meet that one.
 */
export async function ensureDaemon(layout: HomeLayout, options: StartDaemonOptions): Promise<DaemonStatus> {
  return (await statusIfRunning(layout)) ?? (await startDaemon(layout, options));
}

export async function statusIfRunning(layout: HomeLayout): Promise<DaemonStatus | undefined> {
  try {
    return await requestControl<DaemonStatus>(layout, API.status);
  } catch (error) {
    if (error instanceof GatekeeperError && error.code === 'GK_DAEMON_NOT_RUNNING') return undefined;
    throw error;
  }
}

async function startDaemon(layout: HomeLayout, { entry, env, onWait }: StartDaemonOptions): Promise<DaemonStatus> {
  const child = spawnDaemon(layout, entry, env);
  const started = Date.now();
  let endedAt: number | undefined;
  let ending = '';
  child.on('error', (error) => {
    endedAt = Date.now();
    ending = error.message;
  });
  child.on('exit', (code, signal) => {
    endedAt = Date.now();
    ending = signal ? `ended by ${signal}` : `ended with status ${code}`;
  });
  let told = false;
  for (;;) {
    const status = await statusIfRunning(layout);
    if (status) return status;
    const now = Date.now();
    // Ours may have ended because another one holds the lock and is about to answer.
    if (endedAt !== undefined && now - endedAt > OTHER_DAEMON_GRACE_MS) throw startError(layout, ending);
    if (now - started > START_TIMEOUT_MS) throw startError(layout, 'no answer');
    if (!told && now - started > TELL_AFTER_MS) {
      told = true;
      onWait?.();
    }
    await sleep(POLL_MS);
  }
}

function spawnDaemon(layout: HomeLayout, entry: string, env: NodeJS.ProcessEnv) {
  const log = openLog(layout);
  try {
    const child = spawn(process.execPath, [entry], {
      cwd: '/',
      detached: true,
      env: daemonEnvironment(env),
      stdio: ['ignore', log, log],
    });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

function openLog({ state, daemonLog }: HomeLayout): number {
  ensurePrivateDirectory(state);
  try {
    return openSync(daemonLog, 'a', 0o600);
  } catch (cause) {
    throw new GatekeeperError('GK_HOME', {
      what: `the daemon's log cannot be written: ${(cause as Error).message}`,
      where: daemonLog,
      cause,
    });
  }
}

/** The daemon outlives this command and serves every project: it takes nothing of a project's environment (LD_PRELOAD, NODE_OPTIONS …). */
function daemonEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => DAEMON_VARIABLES.has(name));
  // Node's own four threads would make the log's writes wait behind a few slow name lookups.
  return { ...Object.fromEntries(kept), UV_THREADPOOL_SIZE: '16' };
}

function startError(layout: HomeLayout, ending: string): GatekeeperError {
  const last = lastLogLine(layout);
  return new GatekeeperError('GK_DAEMON_START', {
    what: `the daemon could not be started: ${last || ending}`,
    // The line says where and how to mend it by itself.
    ...(last === '' ? { where: layout.daemonLog } : { remedy: `more is in ${layout.daemonLog}` }),
  });
}

function lastLogLine(layout: HomeLayout): string {
  try {
    const lines = readFileSync(layout.daemonLog, 'utf8').trimEnd().split('\n').slice(-40);
    // After an uncaught exception the telling line stands above its stack.
    const line = lines.findLast((text) => /^gatekeeper|Error\b/.test(text)) ?? lines.at(-1) ?? '';
    return line.replace(/^gatekeeperd?: /, '');
  } catch {
    return '';
  }
}

const DAEMON_VARIABLES = new Set([
  'GATEKEEPER_DEBUG',
  'GATEKEEPER_HOME',
  'HOME',
  'LANG',
  'LOGNAME',
  'PATH',
  'TZ',
  'USER',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_RUNTIME_DIR',
  'XDG_STATE_HOME',
]);

const POLL_MS = 15;
const TELL_AFTER_MS = 1000;
const START_TIMEOUT_MS = 15_000;
const OTHER_DAEMON_GRACE_MS = 1000;
