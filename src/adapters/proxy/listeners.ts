import { type AddressInfo, createServer, type Server } from 'node:net';

/** Listens on the preferred port, or when that is taken on any that is free. */
export async function listenPreferring<Result>(
  preferred: number | undefined,
  listenOn: (port: number) => Promise<Result>,
): Promise<Result> {
  if (preferred) {
    try {
      return await listenOn(preferred);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  return listenOn(0);
}

/** A machine without IPv6 gets the IPv4 listener alone: its programs have no IPv6 socket that could be redirected. */
export async function listenOnBothLoopbacks(
  make: () => Server,
  preferred?: number,
): Promise<{ port: number; servers: Server[] }> {
  const hasV6 = await hasIpv6Loopback();
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
    const v4 = make();
    await listenPreferring(attempt === 0 ? preferred : undefined, (port) => listen(v4, '127.0.0.1', port));
    const { port } = v4.address() as AddressInfo;
    if (!hasV6) return { port, servers: [v4] };
    const v6 = make();
    try {
      await listen(v6, '::1', port);
      return { port, servers: [v4, v6] };
    } catch {
      await closeServer(v4);
    }
  }
  throw new Error('no port is free on both 127.0.0.1 and ::1');
}

async function hasIpv6Loopback(): Promise<boolean> {
  const probe = createServer();
  try {
    await listen(probe, '::1', 0);
    await closeServer(probe);
    return true;
  } catch {
    return false;
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: true, backlog: BACKLOG }, () => {
      server.off('error', reject);
      // An accept that fails, for want of descriptors say, must not end the daemon.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

const PORT_ATTEMPTS = 16;
const BACKLOG = 1024;
