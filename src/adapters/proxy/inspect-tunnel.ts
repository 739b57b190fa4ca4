import type { Socket } from 'node:net';
import type { ClientHello } from '../../core/egress/client-hello.ts';
import type { EgressReason } from '../../core/egress/reason.ts';
import type { Dialled } from './dial.ts';
import type { Connection } from './egress-event.ts';
import type { Admitted, Destination } from './gate.ts';
import type { Refusal } from './refusal.ts';

/** What a request asks for, as rules for methods and paths see it (`askedOf`). */
export type AskedRequest = { method: string; path: string; overridden?: boolean; secure?: boolean };

/** A tunnel whose requests are decided one by one. Nothing was resolved, dialled or recorded for it yet; its client takes it for established. */
export type InspectedTunnel<Image> = {
  connection: Connection;
  /** The tunnel's; the host is the name that TLS gave when the program asked for a bare address (`known: 'sni'`). */
  destination: Destination;
  /** Paused, with an error listener. Whoever inspects reads, writes and ends it. */
  client: Socket;
  /** What the client has sent so far; comes before all that the socket still gives. */
  head: Uint8Array;
  /** Set when `head` begins with a whole hello, which the terms of the destination have let pass. */
  hello: ClientHello | undefined;
  /** Decides about one request, with its receipt; without one, about the tunnel as if nobody looked. What is admitted has its own `closed` to call. */
  admit(asked?: AskedRequest): Promise<Admitted<Image> | Refusal>;
  /** The receipt of a tunnel that cannot be inspected, and what to tell if it can be told. Undefined in a simulated run, which goes on as it can. */
  refuse(reason: EgressReason): Promise<Refusal | undefined>;
  /** One connection to the checked addresses; undefined when none answers or the client has gone. */
  dial(admitted: Admitted<Image>): Promise<Dialled | undefined>;
};

/** Carries the tunnel to its end. When it rejects, the client is reset. */
export type InspectTunnel<Image> = (tunnel: InspectedTunnel<Image>) => Promise<void>;
