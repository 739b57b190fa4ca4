import type { AddressInfo } from 'node:net';
import { usualTerms } from '../../core/egress/terms.ts';
import { decideHost } from '../../core/engine/decide.ts';
import type { PolicyImage } from '../../core/engine/image.ts';
import { Attribution, type FindConnection } from './attribution.ts';
import { Doorway } from './doorway.ts';
import type { EgressEvent } from './egress-event.ts';
import { farSideOpener } from './far-side.ts';
import { type DecideHost, Gate, type TermsOf } from './gate.ts';
import { httpDoor } from './http-door.ts';
import type { InspectTunnel } from './inspect-tunnel.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { closeServer, listenOnBothLoopbacks, listenPreferring } from './listeners.ts';
import { Lookup, type Resolve, systemResolve } from './lookup.ts';
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
  describeRule: DescribeRule<Image>;
  /** Resolves when the event is safe; while it rejects, everything is refused. */
  record(event: EgressEvent<Image>): Promise<void>;
  /**
   * Ports to listen on again if they are free: runs that outlived a daemon still connect to those of the earlier one, where nobody else
   * may take their traffic.
   */
  ports?: { proxyPort: number; transparentPort: number } | undefined;
  /** More loopback ports of gatekeeper's own. */
  ownPorts?: () => readonly number[];
  resolve?: Resolve;
  limits?: Partial<Limits>;
};

/** What the daemon gives; deciding and describing are the engine's. */
export type EgressDoor = Omit<EgressOptions<PolicyImage>, 'decide' | 'describeRule'>;

export type Egress = { proxyPort: number; transparentPort: number; close(): Promise<void> };

/** Starts the explicit proxy on 127.0.0.1 and the transparent listener on one port of 127.0.0.1 and ::1. */
export function startEgress(door: EgressDoor): Promise<Egress> {
  return startEgressWith<PolicyImage>({
    ...door,
    decide: decideHost,
    describeRule: ({ rules }, index) => {
      const rule = rules[index];
      return rule && { label: rule.label, reason: rule.reason || null };
    },
  });
}

/** The same over any form of policy. */
export async function startEgressWith<Image>(options: EgressOptions<Image>): Promise<Egress> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const ports = new Set<number>();
  const attribution = new Attribution(options.connection, limits);
  const gate = new Gate<Image>({
    ...options,
    termsOf: options.termsOf ?? ((_image, { port }) => usualTerms(port)),
    lookup: new Lookup(options.resolve ?? systemResolve, limits.lookupMs),
    isOwnPort: (port) => ports.has(port) || (options.ownPorts?.().includes(port) ?? false),
  });
  const openFarSide = farSideOpener(new BufferPool());
  const { describeRule: describe, inspect } = options;
  const doorway = new Doorway<Image>({ attribution, gate, limits, describe, inspect, openFarSide });
  const door = httpDoor(doorway);
  await listenPreferring(options.ports?.proxyPort, (port) => door.listen({ host: '127.0.0.1', port }));
  const transparent = await listenOnBothLoopbacks(() => transparentServer(doorway), options.ports?.transparentPort);
  const proxyPort = (door.server.address() as AddressInfo).port;
  ports.add(proxyPort).add(transparent.port);
  return {
    proxyPort,
    transparentPort: transparent.port,
    close: async () => {
      attribution.destroyAll();
      await Promise.all([door.close(), ...transparent.servers.map(closeServer)]);
    },
  };
}
