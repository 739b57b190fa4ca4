import type { AddressInfo, Socket } from 'node:net';
import { type Address, addressFromBytes, parseAddress } from '../../core/egress/address.ts';
import { usualTerms } from '../../core/egress/terms.ts';
import { decideHost } from '../../core/engine/decide.ts';
import { egressTermsFor, injectionsFor } from '../../core/engine/egress-terms.ts';
import type { PolicyImage } from '../../core/engine/image.ts';
import type { DecideHost } from '../../core/engine/judge-address.ts';
import { mayReach } from '../../core/engine/may-reach.ts';
import { descriptorLimit } from '../process/descriptor-limit.ts';
import { Attribution, type FindConnection } from './attribution.ts';
import { Doorway } from './doorway.ts';
import type { Connection, EgressEvent } from './egress-event.ts';
import { farSideOpener } from './far-side.ts';
import { type Destination, Gate, type TermsOf } from './gate.ts';
import { httpDoor } from './http-door.ts';
import type { InjectionsFor, SecretOf } from './injection.ts';
import { InspectDoor, type InspectOptions } from './inspect-door.ts';
import type { InspectTunnel } from './inspect-tunnel.ts';
import { DEFAULT_LIMITS, type Limits, socketsWithin } from './limits.ts';
import { closeServer, listenOnBothLoopbacks, listenPreferring } from './listeners.ts';
import { Lookup, type Resolve, systemResolve } from './lookup.ts';
import { type MayReach, NameGate } from './name-gate.ts';
import { meantBy, RunNames } from './names.ts';
import { type ListAddresses, ownAddresses } from './own-addresses.ts';
import { BufferPool } from './read-buffers.ts';
import type { DescribeRule } from './refusal.ts';
import { transparentServer } from './transparent-door.ts';

export type EgressOptions<Image> = {
  /**
   * The connection that a supervisor announced for this loopback source port; asked once for each accepted socket, and an announcement serves one
   * socket. May wait for an announcement that is under way; after a second the socket is turned away.
   */
  connection: FindConnection;
  policyOf(run: string): { image: Image; simulate: boolean } | undefined;
  decide: DecideHost<Image>;
  /** Without it the usual terms. */
  termsOf?: TermsOf<Image>;
  /** Carries tunnels whose terms ask for inspection; without it they are refused. */
  inspect?: InspectTunnel<Image>;
  /** What inspected connections speak TLS with; with it the inspect door carries them. */
  tlsOf?: InspectOptions['tlsOf'];
  /** What rules put into requests; without both nothing. */
  injectionsFor?: InjectionsFor<Image>;
  secretOf?: SecretOf;
  mayReach: MayReach<Image>;
  describeRule: DescribeRule<Image>;
  /** Resolves when the event is safe; while it rejects, everything is refused. */
  record(event: EgressEvent<Image>): Promise<void>;
  /**
   * Ports to listen on again if they are free: runs that outlived a daemon still connect to those of the earlier one, where nobody else
   * may take their traffic.
   */
  ports?: { proxyPort: number; transparentPort: number } | undefined;
  /** The names of runs, kept where they outlive the daemon; without them in memory. */
  names?: RunNames;
  /** What the run's programs append to names that are not found (resolv.conf(5), `search`). */
  searchDomainsOf?(run: string): readonly string[];
  /** More loopback ports of gatekeeper's own. */
  ownPorts?: () => readonly number[];
  /** Addresses of this machine; without it those of its interfaces. */
  ownAddresses?: ListAddresses;
  resolve?: Resolve;
  limits?: Partial<Limits>;
};

/** What the daemon gives; deciding and describing are the engine's. */
export type EgressDoor = Omit<
  EgressOptions<PolicyImage>,
  'decide' | 'termsOf' | 'injectionsFor' | 'mayReach' | 'describeRule'
>;

export type Egress = { proxyPort: number; transparentPort: number; close(): Promise<void> };

/** Starts the explicit proxy on 127.0.0.1 and the transparent listener on one port of 127.0.0.1 and ::1. */
export function startEgress(door: EgressDoor): Promise<Egress> {
  return startEgressWith<PolicyImage>({
    ...door,
    decide: decideHost,
    termsOf: egressTermsFor,
    injectionsFor,
    mayReach,
    describeRule: ({ rules }, index) => {
      const rule = rules[index];
      return rule && { label: rule.label, reason: rule.reason || null };
    },
  });
}

/** The same over any form of policy. */
export async function startEgressWith<Image>(options: EgressOptions<Image>): Promise<Egress> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  limits.sockets = Math.min(limits.sockets, socketsWithin(descriptorLimit()));
  const ports = new Set<number>();
  const names = options.names ?? new RunNames();
  const attribution = new Attribution(options.connection, limits, (connection, socket) =>
    gate.refuseForResources(connection, wantedBy(names, connection, socket)),
  );
  const gate = new Gate<Image>({
    ...options,
    termsOf: options.termsOf ?? ((_image, { port }) => usualTerms(port)),
    lookup: new Lookup(options.resolve ?? systemResolve, limits.lookupMs),
    isOwnAddress: ownAddresses(options.ownAddresses),
    isOwnPort: (port) => ports.has(port) || (options.ownPorts?.().includes(port) ?? false),
  });
  const openFarSide = farSideOpener(new BufferPool());
  const { describeRule: describe, tlsOf } = options;
  const inspectDoor = tlsOf && new InspectDoor<Image>({ tlsOf, limits });
  const inspect = options.inspect ?? inspectDoor?.inspect;
  const doorway = new Doorway<Image>({ attribution, gate, limits, names, describe, inspect, openFarSide });
  const door = httpDoor(doorway);
  await listenPreferring(options.ports?.proxyPort, (port) => door.listen({ host: '127.0.0.1', port }));
  let hasV6 = false;
  const nameGate = new NameGate<Image>({
    ...{ ...options, names, hasV6: () => hasV6 },
    refusedAgainMs: limits.refusedAgainMs,
  });
  const transparent = await listenOnBothLoopbacks(
    () => transparentServer(doorway, nameGate),
    options.ports?.transparentPort,
  );
  hasV6 = transparent.servers.length > 1;
  const proxyPort = (door.server.address() as AddressInfo).port;
  ports.add(proxyPort).add(transparent.port);
  return {
    proxyPort,
    transparentPort: transparent.port,
    close: async () => {
      attribution.destroyAll();
      inspectDoor?.close();
      await Promise.all([door.close(), ...transparent.servers.map(closeServer)]);
    },
  };
}

/** What a connection wants that is not served. What the proxy would have been asked for is not known yet. */
function wantedBy(names: RunNames, connection: Connection, { localAddress = '', localPort = 0 }: Socket): Destination {
  const own = parseAddress(localAddress) ?? UNSPECIFIED;
  if (connection.kind === 'proxy')
    return { host: { kind: 'address', address: own }, port: localPort, via: 'http', known: 'literal' };
  const { address = '', port = 0 } = connection;
  return { ...meantBy(names, connection.run, parseAddress(address) ?? own), port, via: 'transparent' };
}

const UNSPECIFIED = addressFromBytes(new Uint8Array(16)) as Address;
