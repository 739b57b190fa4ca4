import type { HookStore } from '../adapters/hook-store/hook-store.ts';
import type { EgressEvent } from '../adapters/proxy/egress-event.ts';
import type { RunTls } from '../adapters/proxy/inspected-tls.ts';
import type { RunNames } from '../adapters/proxy/names.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import type { Address } from '../core/egress/address.ts';
import type { HostName } from '../core/egress/host-name.ts';
import type { Grant } from '../core/policy/grants.ts';
import type { Announced } from './connections.ts';
import type { CompilePolicy, ImageRule } from './run-policy.ts';

/** What the daemon is made of that it does not make itself. */
export type DaemonParts<Image> = {
  layout: HomeLayout;
  /** Whether the lock of the log is still this process's. */
  holdsLog?: () => boolean;
  version: string;
  /** Absolute path of gk-supervise. */
  supervisorProgram: string;
  hooks: HookStore;
  compile: CompilePolicy;
  /** `digest`: hex SHA-256 of the bytes. */
  openImage: (bytes: Uint8Array, digest: string) => Image;
  ruleOf: (image: Image, index: number) => ImageRule | undefined;
  /** Whether some rule of it hides names from runs. */
  hidesNames: (image: Image) => boolean;
  /** Names that its rules spell out and let be reached. */
  exactNames: (image: Image, most: number) => readonly HostName[];
  /** Whether a rule names the address in order to allow connections to it, and the name may be reached there. */
  mayReachAt: (image: Image, name: HostName, address: Address) => boolean;
  /** Whether some rule of it has requests looked into. */
  inspects: (image: Image) => boolean;
  /** The variables that its rules put into requests, each with the first rule that does. */
  secretsOf: (image: Image) => { name: string; rule: string }[];
  /** What is granted now. @throws Error when that is not understood */
  grants: () => Grant[];
  /** The image without what is granted in it and no longer holds for the run; undefined when all of it does. */
  endGrants?: (image: Uint8Array, run: string) => Uint8Array | undefined;
  startEgress: (door: EgressDoor<Image>) => Promise<Egress>;
  watchFiles: (changed: (files: ReadonlySet<string>) => void) => FileWatch;
  /** A line for the daemon's own log. */
  say: (line: string) => void;
  /** Called when a client asks the daemon to end. */
  shutdown: () => void;
};

export type EgressPorts = { proxyPort: number; transparentPort: number };
export type Egress = EgressPorts & { close: () => Promise<void> };
export type EgressDoor<Image> = {
  connection: (family: 4 | 6, sourcePort: number) => Promise<Announced | undefined>;
  policyOf: (run: string) => { image: Image; simulate: boolean } | undefined;
  record: (event: EgressEvent<Image>) => Promise<void>;
  names: RunNames;
  searchDomainsOf: (run: string) => readonly string[];
  tlsOf: (run: string) => RunTls | undefined;
  secretOf: (run: string, name: string) => string | undefined;
  /** Those of an earlier daemon whose runs go on. */
  ports: EgressPorts | undefined;
};
/** `watch` returns which files were not watched before. */
export type FileWatch = {
  watch: (files: readonly string[], urgent: boolean) => ReadonlySet<string>;
  close: () => Promise<void>;
};
