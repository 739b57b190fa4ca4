import { isUtf8 } from 'node:buffer';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { requestControl } from '../../adapters/control-client/request.ts';
import { API, type CreateRunRequest, type CreateRunResponse } from '../../core/contract/control-api.ts';
import type { HomeLayout } from '../../core/contract/home-layout.ts';
import { hookVariables } from '../../core/contract/hook-variables.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { withheldVariables } from '../../core/policy/environment.ts';
import { visible } from '../../core/text/visible.ts';
import { authorityFiles } from '../authority-files.ts';
import { forwardSignals } from '../forward-signals.ts';
import { giveSecrets } from '../give-secrets.ts';
import { daemonEntry, ownHome, workingDirectory } from '../home.ts';
import { policyReference } from '../policy-reference.ts';
import { hooksText } from '../render/hooks-text.ts';
import { tellUser } from '../render/tell-user.ts';
import type { RunArguments } from '../run-arguments.ts';

/** Runs a command under supervision and returns its status as a shell would say it. Throws when the run could not be started. */
export async function run(args: RunArguments): Promise<number> {
  refuseLossyArguments();
  const layout = ownHome();
  const created = await createRun(layout, {
    argv: args.argv,
    cwd: workingDirectory(),
    clientPid: process.pid,
    enforce: args.enforce,
    simulate: args.simulate,
    netAllow: args.netAllow,
    hooks: args.hooks,
    quietHook: args.quietHook,
    ...authorityFiles(process.env),
    ...(args.policy === undefined ? {} : { policy: policyReference(args.policy) }),
    ...(args.name === undefined ? {} : { name: args.name }),
  });
  for (const warning of created.warnings) tellUser(`gatekeeper: ${visible(warning)}`);
  const placeholders = created.secrets?.length ? await giveSecrets(layout, created, process.env) : {};
  const { environment, withheld } = agentEnvironment({ ...created, env: { ...created.env, ...placeholders } });
  if (args.enforce === 'hook') for (const line of HOOK_LEVEL_WARNING) tellUser(`gatekeeper: ${line}`);
  if (args.verbose) {
    tellUser(`gatekeeper: run ${created.id} (${visible(created.name)}), policy ${created.policyDigest}`);
    tellUser(`gatekeeper: hooks: ${hooksText(created.hooks, args.hooks)}`);
    if (withheld.length > 0) tellUser(`gatekeeper: not in its environment: ${withheld.map(visible).join(' ')}`);
  }
  if (args.detach) {
    const { runDetached } = await import('../detached-run.ts');
    const status = await runDetached(layout, created, environment, args.argv);
    if (status !== 0) await giveUp(layout, created.id);
    return status;
  }
  const status = await supervise(created, environment, args);
  if (SETUP_FAILURES.has(status)) await giveUp(layout, created.id);
  await tellDenials(layout, created.id, args.verbose);
  return status;
}

/** Said at every start, whoever looks on: what the level does not hold. */
const HOOK_LEVEL_WARNING = [
  'warning: --enforce=hook is weaker: only calls of libc functions are judged. It does not stop system calls made without libc,',
  'what libc opens by itself, and programs that unload it; Landlock, where the kernel has it, bounds those (docs/hooks.md)',
];

/** The daemon is usually there already, so the request itself finds out whether it is. */
async function createRun(layout: HomeLayout, body: CreateRunRequest): Promise<CreateRunResponse> {
  const create = () => requestControl<CreateRunResponse>(layout, API.createRun, { body });
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof GatekeeperError) || error.code !== 'GK_DAEMON_NOT_RUNNING') throw error;
  }
  const { ensureDaemon } = await import('../../adapters/control-client/start-daemon.ts');
  await ensureDaemon(layout, {
    entry: daemonEntry(),
    env: process.env,
    onWait: () => tellUser('gatekeeper: starting the daemon'),
  });
  return await create();
}

function supervise(
  created: CreateRunResponse,
  env: NodeJS.ProcessEnv,
  { argv, verbose }: RunArguments,
): Promise<number> {
  return new Promise((done, fail) => {
    const supervisor = spawn(created.supervisor, [...created.args, ...(verbose ? ['--verbose'] : []), '--', ...argv], {
      stdio: 'inherit',
      env,
    });
    const stopForwarding = forwardSignals(supervisor);
    supervisor.once('error', (cause: NodeJS.ErrnoException) => {
      stopForwarding();
      const code = cause.code === 'ENOENT' ? 'GK_SUPERVISOR_MISSING' : 'GK_SUPERVISOR_START';
      fail(new GatekeeperError(code, { where: created.supervisor, cause }));
    });
    supervisor.once('exit', (code, signal) => {
      stopForwarding();
      done(signal ? 128 + constants.signals[signal] : (code ?? 125));
    });
  });
}

/** What the policy leaves of this environment, with the variables of the run; and the names of what it does not leave, never values. */
function agentEnvironment({ env, envRules, hooks }: CreateRunResponse): {
  environment: NodeJS.ProcessEnv;
  withheld: string[];
} {
  if (!Array.isArray(envRules)) throw new GatekeeperError('GK_DAEMON_ANSWER');
  const withheld = withheldVariables(envRules, Object.keys(process.env)).map(({ name }) => name);
  // Some tools read such names in any case, and might find the user's own before the run's.
  const replaced = new Set(Object.keys(env).map((name) => name.toUpperCase()));
  const kept: NodeJS.ProcessEnv = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !withheld.includes(name) && !replaced.has(name.toUpperCase())),
  );
  return { environment: { ...kept, ...env, ...hookVariables(hooks ?? {}, kept) }, withheld };
}

/** A supervisor that could not start the command may never have reported to the daemon, which would wait for it. */
async function giveUp(layout: HomeLayout, id: string): Promise<void> {
  // Most often the run is known to have ended, and there is nothing to give up.
  await requestControl(layout, API.killRun, { id, body: {} }).catch(() => undefined);
}

/** Only for a person who looks on: in a pipeline standard error belongs to the command. */
async function tellDenials(layout: HomeLayout, id: string, verbose: boolean): Promise<void> {
  if (!verbose && !isatty(2)) return;
  const { denialSummary } = await import('../denial-summary.ts');
  const line = await denialSummary(layout, id);
  if (line) tellUser(line);
}

/** Node hands over arguments as text; bytes that are not UTF-8 are lost on the way, and the command would see other names. */
function refuseLossyArguments(): void {
  if (!process.argv.some((word) => word.includes('\ufffd'))) return;
  if (isUtf8(readFileSync('/proc/self/cmdline'))) return;
  throw new GatekeeperError('GK_USAGE', {
    what: 'an argument is not valid UTF-8 and cannot be passed on unchanged',
    remedy: 'put the command into a script and run that',
  });
}

/** Exit statuses of the supervisor for a command that it did not start; a command of its own may give them as well. */
const SETUP_FAILURES: ReadonlySet<number> = new Set([125, 126, 127]);
