import { uptime } from 'node:os';
import { bootId } from './process-identity.ts';

/** CLOCK_BOOTTIME in seconds: sleep counts, and nobody can set it. */
export const bootSeconds = (): number => uptime();

/** The present moment, in milliseconds since boot; without `boot` where the kernel does not say which boot it is. */
export function bootMoment(): { boot: string | undefined; ms: number } {
  const boot = bootId();
  return { boot: UUID.test(boot) ? boot : undefined, ms: Math.round(bootSeconds() * 1000) };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
