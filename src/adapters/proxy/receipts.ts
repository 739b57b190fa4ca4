import { type Address, formatAddress } from '../../core/egress/address.ts';
import { formatHost } from '../../core/egress/authority.ts';
import { internal, type Word } from '../../core/engine/egress-word.ts';
import type { VerdictName } from '../../core/wire/messages.ts';
import type { Connection, EgressEvent } from './egress-event.ts';
import type { Destination, Refused, TunnelEnd } from './gate.ts';

/** Writes down what the gate said, before it holds. */
export class Receipts<Image> {
  readonly #record: (event: EgressEvent<Image>) => Promise<void>;

  constructor(record: (event: EgressEvent<Image>) => Promise<void>) {
    this.#record = record;
  }

  /** The refusal, once its receipt is safe. */
  async refuse(
    connection: Connection,
    destination: Destination,
    image: Image | undefined,
    word: Word,
    verdict: VerdictName,
    refused?: Address,
  ): Promise<Refused<Image>> {
    const written = await this.write(connection, destination, image, word, verdict, refused);
    return refusal(destination, image, written ? word : internal('journal-failed'), refused);
  }

  /** False when it could not be written. */
  async write(
    connection: Connection,
    destination: Destination,
    image: Image | undefined,
    { source, rule, pierced, reason, own }: Word,
    verdict: VerdictName,
    address: Address | undefined,
  ): Promise<boolean> {
    const { method, path, overridden } = destination;
    try {
      await this.#record({
        kind: 'decision',
        ...common(connection, destination, image, address),
        ...{ verdict, source, rule, pierced, reason },
        ...(method !== undefined && { method }),
        ...(path !== undefined && { path: path.slice(0, PATH_MAX) }),
        ...(overridden && { overridden }),
        ...(own && { own }),
      });
      return true;
    } catch {
      return false;
    }
  }

  close(
    connection: Connection,
    destination: Destination,
    image: Image,
    { address, bytesUp, bytesDown, durationMs, result }: TunnelEnd,
  ): void {
    const end = { bytesUp, bytesDown, durationMs, result };
    this.#record({ kind: 'closed', ...common(connection, destination, image, address), ...end }).catch(() => undefined);
  }
}

export function refusal<Image>(
  { host, port, via }: Destination,
  image: Image | undefined,
  { source, reason, rule }: Word,
  address?: Address,
): Refused<Image> {
  const status = source === 'internal' ? 503 : reason === 'unresolved' ? 502 : 403;
  const obstacle = formatHost(address ? { kind: 'address', address } : host);
  const inspected = via === 'inspect';
  return { ok: false, image, status, host: formatHost(host), port, reason, rule, obstacle, inspected };
}

function common<Image>(
  { run, pid, program }: Connection,
  { host, port, via, known }: Destination,
  image: Image,
  dialled: Address | undefined,
) {
  const address = dialled ?? (host.kind === 'address' ? host.address : undefined);
  const name = host.kind === 'name' ? host.name : null;
  return { run, pid, program, host: name, address: address ? formatAddress(address) : null, port, via, known, image };
}

const PATH_MAX = 1024;
