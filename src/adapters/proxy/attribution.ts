import type { Socket } from 'node:net';
import type { Connection } from './egress-event.ts';
import { type Limits, RunLoad } from './limits.ts';

export type FindConnection = (family: 4 | 6, sourcePort: number) => Promise<Connection | undefined>;

/** Records that a run is refused a connection for want of room; the refusal waits for it. */
export type RefuseRoom = (connection: Connection, socket: Socket) => Promise<unknown>;

export type Attributed = { ok: true; connection: Connection } | { ok: false; why: 'unannounced' | 'resources' };

/**
 * Knows whose connection an accepted socket is. A supervisor binds its program's socket to a loopback port and announces that port before it
 * connects; a socket from any other port is nobody's, so other processes of this machine and other runs get nothing here.
 */
export class Attribution {
  readonly #find: FindConnection;
  readonly #refuse: RefuseRoom;
  readonly #limits: Limits;
  readonly #load: RunLoad;
  readonly #known = new WeakMap<Socket, Connection>();
  readonly #open = new Set<Socket>();
  #pending = 0;

  constructor(find: FindConnection, limits: Limits, refuse: RefuseRoom) {
    this.#find = find;
    this.#refuse = refuse;
    this.#limits = limits;
    this.#load = new RunLoad(limits.socketsPerRun, limits.sockets);
  }

  /** Takes the socket into the run's account until it closes. Never throws; the caller ends the socket when it is not ok. */
  async attribute(socket: Socket, kind: Connection['kind']): Promise<Attributed> {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    const connection = await this.#search(socket);
    if (connection?.kind !== kind || socket.destroyed) return { ok: false, why: 'unannounced' };
    const giveBack = this.#load.take(connection.run);
    if (!giveBack) {
      await this.#refuse(connection, socket);
      return { ok: false, why: 'resources' };
    }
    socket.once('close', giveBack);
    this.#known.set(socket, connection);
    return { ok: true, connection };
  }

  of(socket: Socket): Connection | undefined {
    return this.#known.get(socket);
  }

  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  async #search({ remoteFamily, remotePort }: Socket): Promise<Connection | undefined> {
    if (remotePort === undefined || this.#pending >= this.#limits.unattributed) return undefined;
    this.#pending++;
    let timer: NodeJS.Timeout | undefined;
    try {
      const late = new Promise<undefined>((resolve) => {
        timer = setTimeout(resolve, this.#limits.attributionMs, undefined);
      });
      return await Promise.race([this.#find(remoteFamily === 'IPv6' ? 6 : 4, remotePort), late]);
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
      this.#pending--;
    }
  }
}
