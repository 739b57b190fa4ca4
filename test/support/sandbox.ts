import { chownSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { statusIfRunning } from '../../src/adapters/control-client/start-daemon.ts';
import { type HomeLayout, homeLayout } from '../../src/core/contract/home-layout.ts';
import { type Account, bare, type Outcome } from './bare.ts';
import { removeTree } from './remove-tree.ts';

/** A gatekeeper of its own (home, daemon, log) and a project directory, for one test file. */
export type Sandbox = {
  /** Everything of this sandbox lies beneath it. */
  root: string;
  /** Value of GATEKEEPER_HOME. */
  home: string;
  project: string;
  layout: HomeLayout;
  /** Whom the command line, its daemon and its runs belong to; undefined: whoever runs the tests. */
  user: Account | undefined;
  /** Environment of the command line. */
  env: Record<string, string>;
  /** Runs the built command line in the project. */
  gatekeeper(args: readonly string[], options?: GatekeeperOptions): Promise<Outcome>;
  /** Writes a file beneath the project, with its directories, as the user. Returns its absolute path. */
  write(path: string, content: string | Uint8Array): string;
  close(): Promise<void>;
};

export type SandboxOptions = {
  user?: Account | undefined;
  /** Where it is made. Directories that nobody can read or walk through, beneath /tmp, make other runs refuse files with several names. */
  beneath?: string | undefined;
};

export type GatekeeperOptions = {
  cwd?: string | undefined;
  env?: Record<string, string> | undefined;
  input?: string | Uint8Array | undefined;
  timeoutMs?: number | undefined;
};

export const GATEKEEPER = fileURLToPath(new URL('../../dist/cli/gatekeeper.cjs', import.meta.url));

/** A sandbox for the tests of this file: opened before the first, closed (daemon and all) after the last. */
export function useSandbox(options: SandboxOptions = {}): Sandbox {
  // The object is handed out before the hooks run, so that tables of tests can refer to it.
  const sandbox = {} as Sandbox;
  beforeAll(() => void Object.assign(sandbox, openSandbox(options)));
  afterAll(() => sandbox.close?.());
  return sandbox;
}

export function openSandbox({ user, beneath = tmpdir() }: SandboxOptions = {}): Sandbox {
  if (!existsSync(GATEKEEPER)) throw new Error('the program is not built; build it: npm run build');
  const root = mkdtempSync(join(beneath, 'gk-test-'));
  const home = join(root, 'home');
  const project = join(root, 'project');
  for (const directory of [home, project]) mkdirSync(directory, { mode: 0o700 });
  if (user) for (const path of [root, home, project]) chownSync(path, user.uid, user.gid);
  const layout = homeLayout({ passwdHome: '/nonexistent', uid: user?.uid ?? 0, env: { GATEKEEPER_HOME: home } });
  const env = { GATEKEEPER_HOME: home };
  return {
    root,
    home,
    project,
    layout,
    user,
    env,
    gatekeeper: (args, options = {}) =>
      bare([process.execPath, GATEKEEPER, ...args], {
        cwd: options.cwd ?? project,
        env: { ...env, ...options.env },
        input: options.input,
        timeoutMs: options.timeoutMs,
        user,
      }),
    write: (path, content) => writeAs(user, join(project, path), content, project),
    close: async () => {
      await endDaemon(layout);
      removeTree(root);
    },
  };
}

function writeAs(user: Account | undefined, path: string, content: string | Uint8Array, top: string): string {
  const missing: string[] = [];
  for (
    let directory = dirname(path);
    directory.startsWith(top) && !existsSync(directory);
    directory = dirname(directory)
  ) {
    missing.unshift(directory);
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  if (user) for (const made of [...missing, path]) chownSync(made, user.uid, user.gid);
  return path;
}

/** Ends the sandbox's own daemon by its pid: asked first, then made to. */
async function endDaemon(layout: HomeLayout): Promise<void> {
  const pid = (await statusIfRunning(layout).catch(() => undefined))?.pid;
  if (pid === undefined) return;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    signalProcess(pid, signal);
    for (let waited = 0; waited < 5000; waited += 20) {
      if (!signalProcess(pid, 0)) return;
      await sleep(20);
    }
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
