import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { readRecords } from '../../src/adapters/audit-log/read.ts';
import { type LogVerification, verifyLog } from '../../src/adapters/audit-log/verify-log.ts';
import { requestControl } from '../../src/adapters/control-client/request.ts';
import { statusIfRunning } from '../../src/adapters/control-client/start-daemon.ts';
import { readPublicKey, verifyKey } from '../../src/adapters/keys/public-key.ts';
import { API, type CreateRunRequest, type CreateRunResponse } from '../../src/core/contract/control-api.ts';
import { type HomeLayout, homeLayout } from '../../src/core/contract/home-layout.ts';
import { inSchema } from './record-schema.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** The daemon as it is built, in a process and a home of its own. */
export class DaemonProcess {
  readonly home: string;
  readonly layout: HomeLayout;
  process: ChildProcess | undefined;
  output = '';

  constructor(home = temporaryDirectory()) {
    this.home = home;
    this.layout = homeLayout({ passwdHome: '/nonexistent', uid: process.getuid!(), env: { GATEKEEPER_HOME: home } });
  }

  /** Starts it and waits until it answers. */
  async start(): Promise<this> {
    this.spawn();
    for (;;) {
      if (await statusIfRunning(this.layout).catch(() => undefined)) return this;
      if (this.process?.exitCode !== null) throw new Error(`the daemon ended: ${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  spawn(): ChildProcess {
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], GATEKEEPER_HOME: this.home };
    const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr!.on('data', (chunk) => {
      this.output += chunk;
    });
    this.process = child;
    return child;
  }

  /** Ends it with a signal and waits until it is gone. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const gone = once(child, 'exit');
    child.kill(signal);
    return (await gone)[0] as number | null;
  }

  createRun(more: Partial<CreateRunRequest> = {}): Promise<CreateRunResponse> {
    const body: CreateRunRequest = { argv: ['true'], cwd: this.home, clientPid: process.pid, ...more };
    return requestControl<CreateRunResponse>(this.layout, API.createRun, { body });
  }

  receipts(action: string) {
    return inSchema([...readRecords(this.layout.audit)].flat()).filter((receipt) => receipt.action === action);
  }

  verify(): Promise<LogVerification> {
    return verifyLog(this.layout.audit, verifyKey(readPublicKey(this.layout.keys)!));
  }
}

const MAIN = fileURLToPath(new URL('../../dist/daemon/main.js', import.meta.url));
