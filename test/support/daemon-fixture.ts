import { mkdirSync } from 'node:fs';
import { readRecords } from '../../src/adapters/audit-log/read.ts';
import { verifyLog } from '../../src/adapters/audit-log/verify-log.ts';
import { requestControl } from '../../src/adapters/control-client/request.ts';
import { HookStore } from '../../src/adapters/hook-store/hook-store.ts';
import { readPublicKey, verifyKey } from '../../src/adapters/keys/public-key.ts';
import type { EgressEvent } from '../../src/adapters/proxy/egress-event.ts';
import { API, type CreateRunRequest, type CreateRunResponse } from '../../src/core/contract/control-api.ts';
import { type HomeLayout, homeLayout } from '../../src/core/contract/home-layout.ts';
import { type HostName, parseHostName } from '../../src/core/egress/host-name.ts';
import type { Grant } from '../../src/core/policy/grants.ts';
import type { LaunchTerms } from '../../src/core/policy/launch-terms.ts';
import { Daemon } from '../../src/daemon/daemon.ts';
import type { DaemonParts, EgressDoor } from '../../src/daemon/daemon-parts.ts';
import { prepareHome } from '../../src/daemon/prepare-home.ts';
import { inSchema } from './record-schema.ts';
import { temporaryDirectory } from './temporary-directory.ts';

type FakeImage = { rules: string[] };

/** A daemon in this process whose policy, egress and file watch are the test's; all else is the product's. */
export class DaemonFixture {
  readonly layout: HomeLayout;
  readonly said: string[] = [];
  /** What the daemon wants to hear of. */
  watched: { files: readonly string[]; urgent: boolean } = { files: [], urgent: false };
  /** The policy "on disk": its text is its image. An Error does not compile. */
  policy: string | Error = 'rule 0\nrule 1';
  launch: LaunchTerms = { env: [], limits: {}, caches: {}, onTighten: 'end' };
  door!: EgressDoor<FakeImage>;
  changed!: (files: ReadonlySet<string>) => void;
  hooks: HookStore;
  exactNames: string[] = [];
  grants: Grant[] = [];
  ports = { proxyPort: 1111, transparentPort: 2222 };
  daemon: Daemon<FakeImage> | undefined;

  constructor(home = temporaryDirectory()) {
    this.layout = homeLayout({ passwdHome: '/nonexistent', uid: process.getuid!(), env: { GATEKEEPER_HOME: home } });
    mkdirSync(this.layout.config, { recursive: true });
    // Those of this test's own installation, which has none unless it makes them.
    this.hooks = new HookStore(this.layout.hooks, {
      library: `${home}/libgk-hook.so`,
      scripts: `${home}/node-hook`,
    });
  }

  async start(): Promise<this> {
    prepareHome(this.layout);
    this.daemon = await Daemon.start<FakeImage>(this.#parts());
    return this;
  }

  async stop(): Promise<void> {
    await this.daemon?.stop();
    this.daemon = undefined;
  }

  createRun(more: Partial<CreateRunRequest> = {}): Promise<CreateRunResponse> {
    const body: CreateRunRequest = { argv: ['cat', '/p/.env'], cwd: '/p', clientPid: process.pid, ...more };
    return requestControl<CreateRunResponse>(this.layout, API.createRun, { body });
  }

  receipts(action?: string) {
    const all = inSchema([...readRecords(this.layout.audit)].flat());
    return action === undefined ? all : all.filter((receipt) => receipt.action === action);
  }

  verify() {
    return verifyLog(this.layout.audit, verifyKey(readPublicKey(this.layout.keys)!));
  }

  #parts(): DaemonParts<FakeImage> {
    return {
      layout: this.layout,
      version: '0.0.0',
      supervisorProgram: '/bin/true',
      hooks: this.hooks,
      hidesNames: () => false,
      compile: () => {
        if (this.policy instanceof Error) throw this.policy;
        return {
          name: 'test',
          image: Buffer.from(this.policy),
          warnings: ['careful'],
          files: ['/p/.gatekeeper.yaml'],
          launch: this.launch,
          hints: { files: false, directories: false, why: 'nothing' },
        };
      },
      openImage: (bytes) => ({ rules: Buffer.from(bytes).toString().split('\n') }),
      exactNames: () => this.exactNames.map(hostName),
      mayReachAt: () => false,
      inspects: () => false,
      secretsOf: () => [],
      grants: () => this.grants,
      ruleOf: ({ rules }, index) => (rules[index] === undefined ? undefined : { label: rules[index], reason: '' }),
      startEgress: async (door) => {
        this.door = door;
        return { ...this.ports, close: async () => undefined };
      },
      watchFiles: (changed) => {
        this.changed = changed;
        const watch = (files: readonly string[], urgent: boolean) => {
          this.watched = { files, urgent };
          return new Set<string>();
        };
        return { watch, close: async () => undefined };
      },
      say: (line) => this.said.push(line),
      shutdown: () => undefined,
    };
  }
}

function hostName(text: string): HostName {
  const name = parseHostName(text);
  if (name === undefined) throw new Error(`no name of a host: ${text}`);
  return name;
}

export type FakeEvent = EgressEvent<FakeImage>;

/** Waits until something holds; the test's own time limit is the bound. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
