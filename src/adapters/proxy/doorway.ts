import type { Socket } from 'node:net';
import type { Attribution } from './attribution.ts';
import type { OpenSocket } from './dial.ts';
import type { Connection } from './egress-event.ts';
import type { Admitted, Destination, Gate, Refused } from './gate.ts';
import type { InspectTunnel } from './inspect-tunnel.ts';
import type { Limits } from './limits.ts';
import { meantBy, type RunNames } from './names.ts';
import { type DescribeRule, type Refusal, refusalOf } from './refusal.ts';
import { Tunnel, type TunnelParts } from './tunnel.ts';

/** What the doors (CONNECT, SOCKS, transparent, plain HTTP, upgrade) share. */
export class Doorway<Image> {
  readonly attribution: Attribution;
  readonly gate: Gate<Image>;
  readonly limits: Limits;
  readonly #names: RunNames;
  readonly #describe: DescribeRule<Image>;
  readonly #tunnelParts: TunnelParts<Image>;

  constructor(parts: {
    attribution: Attribution;
    gate: Gate<Image>;
    limits: Limits;
    names: RunNames;
    describe: DescribeRule<Image>;
    openFarSide: OpenSocket;
    inspect?: InspectTunnel<Image> | undefined;
  }) {
    this.attribution = parts.attribution;
    this.gate = parts.gate;
    this.limits = parts.limits;
    this.#names = parts.names;
    this.#describe = parts.describe;
    const { gate, limits, openFarSide, inspect } = parts;
    const show = (refused: Refused<Image>) => refusalOf(refused, this.#describe);
    this.#tunnelParts = { gate, limits, openFarSide, inspect, show };
  }

  /** Decides; a refusal is ready to be shown. */
  async admit(connection: Connection, destination: Destination): Promise<Admitted<Image> | Refusal> {
    const outcome = await this.gate.admit(connection, destination);
    return outcome.ok ? outcome : refusalOf(outcome, this.#describe);
  }

  /** The refusal, recorded, for a run that is at one of its bounds. */
  async refuseForResources(connection: Connection, destination: Destination): Promise<Refusal> {
    return refusalOf(await this.gate.refuseForResources(connection, destination), this.#describe);
  }

  /**
   * Decides, dials and relays until the tunnel ends; `established` tells the client just before its bytes flow. An address that stands for a name in the
   * run means that name, whichever door the program found with it.
   */
  tunnel(
    connection: Connection,
    destination: Destination,
    client: Socket,
    head: Uint8Array,
    established: () => void,
  ): Promise<Refusal | undefined> {
    const { host } = destination;
    const meant = host.kind === 'address' ? meantBy(this.#names, connection.run, host.address) : undefined;
    const asked = { connection, destination: { ...destination, ...meant }, client, head, established };
    return new Tunnel(this.#tunnelParts, asked).carry();
  }
}
