import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { OtlpEndpoint } from './endpoint.ts';

/** What became of a request. `too-large`: the receiver takes no request of this size. `given-up`: it was tried until it was too late, or interrupted. */
export type Sent =
  | { kind: 'taken'; rejected: number; message: string }
  | { kind: 'too-large' }
  | { kind: 'refused'; why: string }
  | { kind: 'given-up'; why: string };

export type Patience = {
  /** How long one request is tried; for ever where it is Infinity. */
  giveUpMs: number;
  firstDelayMs: number;
  /** Ends the waiting for a further attempt. */
  signal?: AbortSignal | undefined;
  /** Hears of each attempt that failed and is tried again. */
  waits?: ((why: string, ms: number) => void) | undefined;
};

/** Sends a request of OTLP/HTTP as JSON, and again while the protocol says that this may help (OTLP 1.x, "OTLP/HTTP Response"). */
export async function sendLogs(request: object, endpoint: OtlpEndpoint, patience: Patience): Promise<Sent> {
  const body = await compress(JSON.stringify(request));
  const began = performance.now();
  for (let attempt = 0; ; attempt++) {
    const found = await once(body, endpoint);
    if (found.kind !== 'again') return found;
    const backoff = Math.min(patience.firstDelayMs * 2 ** attempt, LONGEST_DELAY_MS) * (0.5 + Math.random());
    const wait = Math.min(found.afterMs ?? backoff, LONGEST_WAIT_MS);
    const late = performance.now() - began + wait > patience.giveUpMs;
    if (late || patience.signal?.aborted) return { kind: 'given-up', why: found.why };
    patience.waits?.(found.why, wait);
    await sleep(wait, undefined, { ...(patience.signal && { signal: patience.signal }) }).catch(() => undefined);
    if (patience.signal?.aborted) return { kind: 'given-up', why: found.why };
  }
}

type Again = { kind: 'again'; why: string; afterMs: number | undefined };

/** Nothing interrupts it once it is under way, or nobody would know whether it was taken. */
async function once(body: Uint8Array, { url, headers, timeoutMs }: OtlpEndpoint): Promise<Sent | Again> {
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body,
      // Whoever answers must be who was named: headers may hold credentials.
      redirect: 'manual',
      signal: late,
    });
    const text = await beginningOf(response);
    if (response.ok) return { kind: 'taken', ...partialSuccess(text) };
    const why = `${response.status} ${response.statusText}`.trim();
    if (response.status === 413) return { kind: 'too-large' };
    if (RETRYABLE.has(response.status))
      return { kind: 'again', why, afterMs: retryAfter(response.headers.get('retry-after')) };
    const said = statusMessage(text);
    return { kind: 'refused', why: said === '' ? why : `${why}: ${said}` };
  } catch (error) {
    return {
      kind: 'again',
      why: late.aborted ? `no answer within ${timeoutMs} ms` : causeOf(error),
      afterMs: undefined,
    };
  }
}

/** As much of an answer as anybody needs. */
async function beginningOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > LONGEST_ANSWER) break;
  }
  return Buffer.concat(chunks).toString();
}

/** `ExportLogsServiceResponse`: its numbers are strings, and some senders write them as numbers. */
function partialSuccess(text: string): { rejected: number; message: string } {
  const { partialSuccess: partial } = jsonObject(text) as { partialSuccess?: Record<string, unknown> };
  const rejected = Number(partial?.['rejectedLogRecords'] ?? 0);
  const message = partial?.['errorMessage'];
  return {
    rejected: Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0,
    message: typeof message === 'string' ? message : '',
  };
}

/** Errors come with a `Status` whose message is for people. */
function statusMessage(text: string): string {
  const { message } = jsonObject(text);
  return typeof message === 'string' ? message.slice(0, 500) : '';
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Seconds or a date (RFC 9110, 10.2.3), as milliseconds from now. */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

/** `fetch failed` says nothing; what is behind it does. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { code } = cause as NodeJS.ErrnoException;
  return code ?? (cause instanceof Error ? cause.message : String(cause));
}

const compress = promisify(gzip);
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const LONGEST_DELAY_MS = 30_000;
const LONGEST_WAIT_MS = 300_000;
const LONGEST_ANSWER = 64 * 1024;
