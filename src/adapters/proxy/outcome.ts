import { ERRNO } from '../../core/kernel/errno.ts';

/** Whoever asked has left, so nobody knows what would have become of it. */
export class ClientGone extends Error {
  constructor() {
    super('the client has gone');
  }
}

/** The far side is not, or cannot be shown to be, the host. */
export class Untrusted extends Error {}

/** What became of what was allowed, as receipts say it (`result`); undefined: not known. */
export function outcomeOf(error: unknown): string | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < CAUSES_MAX; cause = cause.cause, depth++) {
    if (cause instanceof ClientGone) return undefined;
    if (cause instanceof Untrusted) return 'certificate-untrusted';
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) continue;
    if (Object.hasOwn(ERRNO, code)) return code;
    if (Object.hasOwn(OF_UNDICI, code)) return OF_UNDICI[code];
  }
  return 'failed';
}

/** An error that says that time was up. */
export const timedOut = (message: string): Error => Object.assign(new Error(message), { code: 'ETIMEDOUT' });

const CAUSES_MAX = 4;
const OF_UNDICI: Readonly<Record<string, string>> = {
  UND_ERR_SOCKET: 'ECONNRESET',
  UND_ERR_CONNECT_TIMEOUT: 'ETIMEDOUT',
  UND_ERR_HEADERS_TIMEOUT: 'ETIMEDOUT',
  UND_ERR_BODY_TIMEOUT: 'ETIMEDOUT',
};
