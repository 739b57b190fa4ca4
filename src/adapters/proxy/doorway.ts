import type { Socket } from 'node:net';
import { formatHost } from '../../core/egress/authority.ts';
import type { EgressReason } from '../../core/egress/reason.ts';
import type { Attribution } from './attribution.ts';
import { type Dialled, dial, type OpenSocket } from './dial.ts';
import type { Connection } from './egress-event.ts';
import type { Admitted, Destination, Gate } from './gate.ts';
import type { InspectTunnel } from './inspect-tunnel.ts';
import type { Limits } from './limits.ts';
import { type DescribeRule, failure, type Refusal, refusalOf } from './refusal.ts';
import { relay } from './relay.ts';

/** What the doors (CONNECT, transparent, plain HTTP, upgrade) share. */
export class Doorway<Image> {
  readonly attribution: Attribution;
  readonly gate: Gate<Image>;
  readonly limits: Limits;
  readonly #describe: DescribeRule<Image>;
  readonly #openFarSide: OpenSocket;
  readonly #inspect: InspectTunnel<Image> | undefined;

  constructor(parts: {
    attribution: Attribution;
    gate: Gate<Image>;
    limits: Limits;
    describe: DescribeRule<Image>;
    openFarSide: OpenSocket;
    inspect?: InspectTunnel<Image> | undefined;
  }) {
    this.attribution = parts.attribution;
    this.gate = parts.gate;
    this.limits = parts.limits;
    this.#describe = parts.describe;
    this.#openFarSide = parts.openFarSide;
    this.#inspect = parts.inspect;
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

  /** Decides, dials and relays until the tunnel ends; `established` tells the client just before its bytes flow. */
  async tunnel(
    connection: Connection,
    destination: Destination,
    client: Socket,
    head: Uint8Array,
    established: () => void,
  ): Promise<Refusal | undefined> {
    if (this.gate.termsOf(connection.run, destination)?.inspect) {
      return this.#inspected(connection, destination, client, head, established);
    }
    const admitted = await this.admit(connection, destination);
    if (!('ok' in admitted)) return admitted;
    const started = performance.now();
    const dialled = await this.#dial(admitted, client);
    const durationMs = () => Math.round(performance.now() - started);
    if (!dialled) {
      admitted.closed({ address: undefined, bytesUp: 0, bytesDown: 0, durationMs: durationMs() });
      return failure('unreachable', formatHost(destination.host), destination.port, 502);
    }
    established();
    const bytes = await relay(client, dialled.socket, head, this.limits.idleMs);
    admitted.closed({ address: dialled.address, ...bytes, durationMs: durationMs() });
    return undefined;
  }

  async #inspected(
    connection: Connection,
    destination: Destination,
    client: Socket,
    head: Uint8Array,
    established: () => void,
  ): Promise<Refusal | undefined> {
    const refuse = async (reason: EgressReason) => {
      const refused = await this.gate.refuseContent(connection, destination, reason);
      return refused && refusalOf(refused, this.#describe);
    };
    if (!this.#inspect)
      return (
        (await refuse('not-inspected')) ?? failure('not-inspected', formatHost(destination.host), destination.port, 403)
      );
    established();
    await this.#inspect({
      connection,
      destination,
      client,
      head,
      hello: undefined,
      admit: (asked) => this.admit(connection, { ...destination, via: 'inspect', ...asked }),
      refuse,
      dial: (admitted) => this.#dial(admitted, client),
    }).catch(() => client.resetAndDestroy());
    return undefined;
  }

  /** Gives up when the client does. */
  async #dial({ addresses, port }: Admitted, client: Socket): Promise<Dialled | undefined> {
    const gone = new AbortController();
    const abort = () => gone.abort();
    client.once('close', abort);
    if (client.destroyed) abort();
    try {
      return await dial(addresses, port, this.limits, gone.signal, this.#openFarSide);
    } catch {
      return undefined;
    } finally {
      client.off('close', abort);
    }
  }
}
