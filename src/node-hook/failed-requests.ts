/** Where a request wanted to go whose error does not say it. */
export type FailedRequest = {
  host: string;
  port: number;
  /** What the run's proxy answered. */
  told?: { rule: string | null; reason: string; message: string } | undefined;
};

/** Of fetch nothing but its channel says which request an error is about. */
export function rememberFailedRequests(): void {
  const { subscribe } = require('node:diagnostics_channel') as typeof import('node:diagnostics_channel');
  subscribe('undici:request:error', (message) => {
    const { request, error } = message as { request?: { origin?: unknown }; error?: unknown };
    if (typeof error !== 'object' || error === null || requests.has(error)) return;
    const origin = originOf(request?.origin);
    if (origin) requests.set(error, origin);
  });
}

export function rememberRequest(error: object, request: FailedRequest): void {
  requests.set(error, request);
}

export const requestOf = (error: object): FailedRequest | undefined => requests.get(error);

function originOf(origin: unknown): FailedRequest | undefined {
  try {
    const { protocol, hostname, port } = new URL(String(origin));
    return { host: hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80) };
  } catch {
    return undefined;
  }
}

const requests = new WeakMap<object, FailedRequest>();
