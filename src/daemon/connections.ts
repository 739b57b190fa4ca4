/** A connection that a supervisor announced before it was made. */
export type Announced = {
  run: string;
  pid: number;
  program: string;
  kind: 'proxy' | 'transparent';
  address?: string;
  port?: number;
};

/**
 * Announced connections by address family and loopback source port. Each serves one accepted socket, and only for a short time: a port is
 * free for anybody once its owner has closed it.
 */
export class Connections {
  readonly #announced = new Map<string, { connection: Announced; timer: NodeJS.Timeout }>();
  readonly #waiting = new Map<string, (connection: Announced | undefined) => void>();

  announce(family: 4 | 6, sourcePort: number, connection: Announced): void {
    const key = keyOf(family, sourcePort);
    this.#forget(key);
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      waiting(connection);
      return;
    }
    const timer = setTimeout(() => this.#announced.delete(key), ANNOUNCED_MS).unref();
    this.#announced.set(key, { connection, timer });
  }

  /** The announcement for a source port, waited for when the socket was faster. */
  take(family: 4 | 6, sourcePort: number): Promise<Announced | undefined> {
    const key = keyOf(family, sourcePort);
    const found = this.#announced.get(key)?.connection;
    this.#forget(key);
    if (found !== undefined) return Promise.resolve(found);
    this.#waiting.get(key)?.(undefined);
    return new Promise((resolve) => {
      const answer = (connection: Announced | undefined) => {
        clearTimeout(timer);
        if (this.#waiting.get(key) === answer) this.#waiting.delete(key);
        resolve(connection);
      };
      const timer = setTimeout(answer, WAIT_MS, undefined);
      this.#waiting.set(key, answer);
    });
  }

  /** The run is over: nothing of it may arrive any more. */
  forgetRun(run: string): void {
    for (const [key, { connection }] of this.#announced) if (connection.run === run) this.#forget(key);
  }

  #forget(key: string): void {
    clearTimeout(this.#announced.get(key)?.timer);
    this.#announced.delete(key);
  }
}

const keyOf = (family: number, port: number) => `${family}:${port}`;
const ANNOUNCED_MS = 10_000;
const WAIT_MS = 1000;
