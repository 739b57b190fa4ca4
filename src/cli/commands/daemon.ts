import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { requestControl } from '../../adapters/control-client/request.ts';
import { ensureDaemon, statusIfRunning } from '../../adapters/control-client/start-daemon.ts';
import { API, type DaemonStatus } from '../../core/contract/control-api.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { visible } from '../../core/text/visible.ts';
import { VERSION } from '../../core/version.ts';
import { forwardSignals } from '../forward-signals.ts';
import { daemonEntry, ownHome } from '../home.ts';
import { auditTrouble } from '../render/audit-trouble.ts';
import { print, printJson } from '../render/print.ts';
import { tellUser } from '../render/tell-user.ts';

export async function daemonVerb(
  verb: 'start' | 'stop' | 'status',
  { json = false }: { json?: boolean },
): Promise<number> {
  switch (verb) {
    case 'start':
      return await start(json);
    case 'stop':
      return await stop(json);
    case 'status':
      return await showStatus(json);
  }
}

/** The daemon in the foreground: its status, and our signals. */
export function daemonRun(): Promise<number> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [daemonEntry()], { stdio: 'inherit' });
    const stopForwarding = forwardSignals(child);
    child.once('error', fail);
    child.once('exit', (code, signal) => {
      stopForwarding();
      done(signal ? 128 + constants.signals[signal] : (code ?? 125));
    });
  });
}

async function start(json: boolean): Promise<number> {
  const layout = ownHome();
  const before = await statusIfRunning(layout);
  const status =
    before ??
    (await ensureDaemon(layout, {
      entry: daemonEntry(),
      env: process.env,
      onWait: () => tellUser('gatekeeper: starting the daemon'),
    }));
  if (json) printJson({ started: before === undefined, ...status });
  else print(before ? `the daemon runs already (pid ${status.pid})` : `the daemon runs (pid ${status.pid})`);
  return 0;
}

async function stop(json: boolean): Promise<number> {
  const layout = ownHome();
  const status = await statusIfRunning(layout);
  if (status) {
    await requestControl(layout, API.shutdown, { body: {} });
    await waitForEnd(status.pid);
  }
  if (json) printJson({ stopped: status !== undefined });
  else print(status ? `the daemon has stopped (pid ${status.pid})` : 'the daemon was not running');
  return 0;
}

async function showStatus(json: boolean): Promise<number> {
  const status = await statusIfRunning(ownHome());
  if (json) printJson(status ? { running: true, ...status } : { running: false });
  else print(status ? statusText(status) : 'the daemon is not running');
  return status ? 0 : 1;
}

function statusText(status: DaemonStatus): string {
  const lines = [
    `daemon      running, pid ${status.pid}, since ${status.startedAt}`,
    `version     ${status.version}${status.version === VERSION ? '' : `, but this command is ${VERSION}: restart the daemon`}`,
    `runs        ${status.runs}`,
    `egress      proxy on port ${status.proxyPort}, redirected connections on port ${status.transparentPort}`,
    `audit       ${status.auditEntries} entries, head ${status.auditHead}`,
    `public key  ${status.publicKeyFingerprint}`,
  ];
  if (status.auditOnFailure === 'degrade')
    lines.push('audit       onFailure is degrade: what cannot be recorded is allowed');
  const trouble = auditTrouble(status);
  if (trouble) lines.push(`audit       BROKEN: ${trouble}`);
  for (const finding of status.auditFindings ?? []) lines.push(`audit       FOUND at the start: ${visible(finding)}`);
  for (const { holder, failure } of status.anchorErrors ?? [])
    lines.push(`anchors     ${visible(holder)} takes no checkpoints: ${visible(failure)}`);
  if (status.policyError)
    lines.push(`policy      BROKEN, the last good one is in force: ${visible(status.policyError)}`);
  return lines.join('\n');
}

/** Returns when the process is gone, so that a start right after meets no dying daemon. */
async function waitForEnd(pid: number): Promise<void> {
  for (let waited = 0; waited < STOP_TIMEOUT_MS; waited += POLL_MS) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await sleep(POLL_MS);
  }
  throw new GatekeeperError('GK_DAEMON_ANSWER', {
    what: 'the daemon does not stop',
    where: `pid ${pid}`,
    remedy: `end it: kill ${pid}`,
  });
}

const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 20;
