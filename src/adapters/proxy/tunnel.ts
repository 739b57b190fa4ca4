import type { Socket } from 'node:net';
import { formatHost } from '../../core/egress/authority.ts';
import type { HostName } from '../../core/egress/host-name.ts';
import type { EgressReason } from '../../core/egress/reason.ts';
import { SecondHello } from '../../core/egress/second-hello.ts';
import { type EgressTerms, usualTerms } from '../../core/egress/terms.ts';
import { type Dialled, dial, type OpenSocket } from './dial.ts';
import type { Connection } from './egress-event.ts';
import {
  type AwaitedBytes,
  awaitFirstBytes,
  contradiction,
  type FirstBytes,
  nameIn,
  nextBytes,
} from './first-bytes.ts';
import { type Admitted, calledBy, type Destination, type Gate, type Refused } from './gate.ts';
import type { InspectTunnel } from './inspect-tunnel.ts';
import type { Limits } from './limits.ts';
import { outcomeOf } from './outcome.ts';
import { failure, malformed, type Refusal } from './refusal.ts';
import { relay, type TunnelBytes } from './relay.ts';

export type TunnelParts<Image> = {
  gate: Gate<Image>;
  limits: Limits;
  openFarSide: OpenSocket;
  inspect: InspectTunnel<Image> | undefined;
  show(refused: Refused<Image>): Refusal;
};

export type TunnelEnds = {
  connection: Connection;
  destination: Destination;
  client: Socket;
  /** What the client has sent already. */
  head: Uint8Array;
  /** Tells the client that its tunnel is there. */
  established(): void;
};

/** What was found of the first bytes. A refusal has its receipt; without one the client has gone, and nothing came of it. */
type Judged =
  | { passes: true; found: FirstBytes; called: HostName | undefined; inspect: boolean }
  | { passes: false; refusal: Refusal | undefined };

/** One connection of a program to a host and port, for any protocol that the terms of the destination let pass. */
export class Tunnel<Image> {
  readonly #parts: TunnelParts<Image>;
  readonly #ends: TunnelEnds;
  readonly #terms: EgressTerms & { simulate: boolean };
  #started = 0;
  /** Why nothing was dialled. */
  #failure: string | undefined;

  constructor(parts: TunnelParts<Image>, ends: TunnelEnds) {
    this.#parts = parts;
    this.#ends = ends;
    const { connection, destination } = ends;
    // Without a policy nothing is admitted, whatever is asked.
    this.#terms = parts.gate.termsOf(connection.run, destination) ?? {
      ...usualTerms(destination.port),
      simulate: false,
    };
  }

  /** Decides, dials and relays until the tunnel ends. Gives the refusal of one that was not established. */
  async carry(): Promise<Refusal | undefined> {
    const { connection, destination, client, head, established } = this.#ends;
    const { gate, limits, show } = this.#parts;
    if (this.#terms.inspect) return this.#inspected();
    const admitted = await gate.admit(connection, destination);
    if (!admitted.ok) return show(admitted);
    this.#started = performance.now();
    const first = this.#terms.sni === 'any' ? undefined : awaitFirstBytes(client, head, limits.helloMs);
    const judged = first?.found.then((found) => this.#judge(found));
    const dialled = await this.#dial(admitted);
    if (!dialled) {
      first?.stop();
      this.#close(admitted, undefined);
      return this.#failed('unreachable', 502);
    }
    if (first && judged && this.#waits) return this.#afterHello(admitted, dialled, first, judged);
    established();
    await this.#relay(admitted, dialled, judged);
    return undefined;
  }

  /** Nothing flows in either direction before the hello is judged. It may come before the tunnel is established, or after. */
  async #afterHello(
    admitted: Admitted<Image>,
    dialled: Dialled,
    first: AwaitedBytes,
    judged: Promise<Judged>,
  ): Promise<Refusal | undefined> {
    const { client, destination, established } = this.#ends;
    dialled.socket.on('error', () => dialled.socket.destroy());
    const early = (await Promise.race([first.found, undefined])) && (await judged);
    if (!early) {
      established();
      first.expectWithin(this.#parts.limits.firstByteMs);
    }
    const outcome = early ?? (await judged);
    if (early?.passes) established();
    if (outcome.passes && !outcome.inspect) {
      await this.#relay(admitted, dialled, judged);
      return undefined;
    }
    dialled.socket.destroy();
    this.#close(admitted, dialled);
    const { called } = { called: undefined, ...outcome };
    if (outcome.passes && called !== undefined) await this.#handOver(calledBy(destination, called), outcome.found);
    else if (!outcome.passes && outcome.refusal && early) return outcome.refusal;
    else hangUp(client, outcome.passes ? undefined : outcome.refusal);
    return undefined;
  }

  async #relay(admitted: Admitted<Image>, dialled: Dialled, judged: Promise<Judged> | undefined): Promise<void> {
    const { client, head } = this.#ends;
    const up = judged && this.#upward(judged);
    const bytes = await relay(client, dialled.socket, up ?? head, this.#parts.limits.idleMs);
    const outcome = await judged;
    this.#close(admitted, dialled, bytes, outcome?.passes ? outcome.called : undefined);
  }

  /** What the client sends, once it may pass, until nothing in it has to be looked at any more. Throws when it may not. */
  async *#upward(judged: Promise<Judged>): AsyncGenerator<Uint8Array> {
    const outcome = await judged;
    if (!outcome.passes) throw new Error('the first bytes were refused');
    const { found } = outcome;
    if (found.kind !== 'hello') return yield found.bytes;
    yield found.bytes.subarray(0, found.end);
    const watch = new SecondHello(found.hello.serverName);
    let held = found.bytes.subarray(found.end);
    for (;;) {
      const progress = watch.look(held);
      if (progress.kind === 'other' && (await this.#refuse('sni-mismatch', this.#ends.destination)))
        throw new Error('the second hello was refused');
      if (progress.kind !== 'pass') return yield held;
      if (progress.bytes > 0) yield held.subarray(0, progress.bytes);
      held = held.subarray(progress.bytes);
      const more = await nextBytes(this.#ends.client);
      if (!more) return yield held;
      held = held.length === 0 ? more : Buffer.concat([held, more]);
    }
  }

  /** The requests in it are decided one by one, so nothing is decided about the tunnel itself. */
  async #inspected(): Promise<Refusal | undefined> {
    const { client, destination, head, established } = this.#ends;
    const { inspect, limits } = this.#parts;
    if (!inspect) return (await this.#refuse('not-inspected', destination)) ?? this.#failed('not-inspected', 403);
    established();
    const first = awaitFirstBytes(client, head, limits.helloMs);
    first.expectWithin(limits.firstByteMs);
    const outcome = await first.found.then((found) => this.#judge(found));
    if (outcome.passes) await this.#handOver(destination, outcome.found);
    else hangUp(client, outcome.refusal);
    return undefined;
  }

  async #handOver(destination: Destination, found: FirstBytes): Promise<void> {
    const { connection, client } = this.#ends;
    const { gate, inspect, show } = this.#parts;
    const carried = inspect?.({
      ...{ connection, destination, client, head: found.bytes },
      hello: found.kind === 'hello' ? found.hello : undefined,
      admit: async (asked) => {
        const outcome = await gate.admit(connection, { ...destination, via: 'inspect', ...asked });
        return outcome.ok ? outcome : show(outcome);
      },
      refuse: (reason) => this.#refuse(reason, destination),
      dial: (admitted) => this.#dial(admitted),
    });
    await carried?.catch(() => client.resetAndDestroy());
  }

  /** Never rejects. */
  async #judge(found: FirstBytes): Promise<Judged> {
    const { destination } = this.#ends;
    const waits = this.#waits || this.#terms.inspect;
    const passed: Judged = { passes: true, found, called: undefined, inspect: false };
    if (found.kind === 'gone') return LEFT;
    if (found.kind === 'ended' && found.bytes.length === 0) return waits ? LEFT : passed;
    try {
      const reason = contradiction(found, destination.host, this.#terms.sni);
      if (reason === undefined) return await this.#judgeCalled(found, waits);
      const refusal = await this.#refuse(reason, destination);
      return refusal ? { passes: false, refusal } : passed;
    } catch {
      return { passes: false, refusal: malformed('the tunnel failed', 500) };
    }
  }

  /** A bare address that TLS gives a name is judged by that name too. */
  async #judgeCalled(found: FirstBytes, waits: boolean): Promise<Judged> {
    const { connection, destination } = this.#ends;
    const { gate, show } = this.#parts;
    const { host, port } = destination;
    const called = this.#terms.sni === 'any' || host.kind === 'name' ? undefined : nameIn(found);
    if (called === undefined || host.kind === 'name') return { passes: true, found, called: undefined, inspect: false };
    const refused = await gate.judgeCalled(connection, destination, host.address, called);
    if (refused) return { passes: false, refusal: show(refused) };
    const named = { host: { kind: 'name', name: called }, port } as const;
    const inspect = gate.termsOf(connection.run, named, host.address)?.inspect ?? false;
    if (!inspect || waits) return { passes: true, found, called, inspect };
    // Bytes may have come down already, which nobody looked at.
    const refusal = await this.#refuse('not-inspected', destination);
    return refusal ? { passes: false, refusal } : { passes: true, found, called, inspect: false };
  }

  async #refuse(reason: EgressReason, destination: Destination): Promise<Refusal | undefined> {
    const refused = await this.#parts.gate.refuseContent(this.#ends.connection, destination, reason);
    return refused && this.#parts.show(refused);
  }

  get #waits(): boolean {
    return this.#terms.sni === 'required' && !this.#terms.simulate;
  }

  #failed(reason: EgressReason, status: number): Refusal {
    const { host, port } = this.#ends.destination;
    return failure(reason, formatHost(host), port, status);
  }

  /** Gives up when the client does. */
  #dial({ addresses, port }: Admitted<Image>): Promise<Dialled | undefined> {
    const { limits, openFarSide } = this.#parts;
    return dial(addresses, port, limits, this.#ends.client, openFarSide).catch((error) => {
      this.#failure = outcomeOf(error);
      return undefined;
    });
  }

  #close(admitted: Admitted<Image>, dialled: Dialled | undefined, bytes = NONE, called?: HostName): void {
    const durationMs = Math.round(performance.now() - this.#started);
    const carried = bytes === NONE ? undefined : (bytes.result ?? 'ok');
    const result = dialled ? carried : this.#failure;
    admitted.closed({ address: dialled?.address, called, ...bytes, durationMs, result });
  }
}

/** A client that has its tunnel can only be told by a reset; one that went without a word is not told. */
function hangUp(client: Socket, refusal: Refusal | undefined): void {
  if (refusal) client.resetAndDestroy();
  else client.destroy();
}

const LEFT: Judged = { passes: false, refusal: undefined };
const NONE: TunnelBytes = { bytesUp: 0, bytesDown: 0 };
