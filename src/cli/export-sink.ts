import { closeSync, openSync, writeSync } from 'node:fs';
import type { LogEntry } from '../adapters/audit-log/entries.ts';
import type { OtlpEndpoint } from '../adapters/otlp/endpoint.ts';
import { type Patience, type Sent, sendLogs } from '../adapters/otlp/send-logs.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { cefLine } from '../core/export/cef.ts';
import type { ExportOrigin } from '../core/export/exported.ts';
import { ocsfEvent } from '../core/export/ocsf.ts';
import { otlpRequest } from '../core/export/otlp.ts';
import { visible } from '../core/text/visible.ts';
import type { ExportFormat } from './export-formats.ts';
import { shownJson } from './render/print.ts';
import { whyNotWritten } from './why-not-written.ts';

/** Where entries go. */
export type Sink = {
  /** As the user knows it. */
  name: string;
  /** Resolves when they are there; false when somebody interrupted that. @throws GatekeeperError (GK_EXPORT) */
  put(entries: readonly LogEntry[]): Promise<boolean>;
  /** What a receiver took the request with, and did not want. */
  rejected: () => number;
  close(): void;
};

/** One line for each entry; of OTLP one for each request, as the collector's own files of JSON have it. */
export function linesOf(format: ExportFormat, entries: readonly LogEntry[], origin: ExportOrigin): string {
  if (format === 'otlp') return `${JSON.stringify(otlpRequest(entries, origin))}\n`;
  return entries.map((entry) => `${LINE[format](entry, origin)}\n`).join('');
}

/** @param output a file, which is made new unless `append`; standard output when there is none */
export function fileSink(
  format: ExportFormat,
  origin: ExportOrigin,
  output: string | undefined,
  append: boolean,
): Sink {
  const path = output === '-' ? undefined : output;
  const fd = path === undefined ? undefined : opened(path, append);
  const write = (text: string): void => {
    if (fd === undefined) process.stdout.write(shownJson(text));
    else writeAll(fd, Buffer.from(text), path!);
  };
  return {
    name: path ?? 'standard output',
    put: async (entries) => {
      write(linesOf(format, entries, origin));
      return true;
    },
    rejected: () => 0,
    close: () => void (fd !== undefined && closeSync(fd)),
  };
}

/** @param warn hears what the receiver says beside taking them */
export function otlpSink(
  origin: ExportOrigin,
  endpoint: OtlpEndpoint,
  patience: Patience,
  warn: (text: string) => void,
): Sink {
  let rejected = 0;
  const where = endpoint.url.href;
  const put = async (entries: readonly LogEntry[]): Promise<boolean> => {
    const sent = await sendLogs(otlpRequest(entries, origin), endpoint, patience);
    if (sent.kind === 'taken') {
      rejected += sent.rejected;
      if (sent.rejected > 0 || sent.message !== '') warn(partialText(sent));
      return true;
    }
    if (sent.kind === 'given-up' && patience.signal?.aborted) return false;
    if (sent.kind !== 'too-large')
      throw undelivered(`the receiver does not take the entries: ${visible(sent.why)}`, where);
    if (entries.length < 2)
      throw undelivered(`the receiver takes no request as large as entry ${entries[0]?.record.seq}`, where);
    const half = Math.ceil(entries.length / 2);
    return (await put(entries.slice(0, half))) && (await put(entries.slice(half)));
  };
  return { name: where, put, rejected: () => rejected, close: () => undefined };
}

function partialText({ rejected, message }: Extract<Sent, { kind: 'taken' }>): string {
  const said = message === '' ? '' : `: ${visible(message)}`;
  return rejected > 0 ? `the receiver rejected ${rejected} of them${said}` : `the receiver says${said}`;
}

function opened(path: string, append: boolean): number {
  try {
    // Whoever may read the log may read this, and nobody else.
    return openSync(path, append ? 'a' : 'w', 0o600);
  } catch (cause) {
    throw undelivered(`the file cannot be written: ${whyNotWritten(cause)}`, path, cause);
  }
}

function writeAll(fd: number, bytes: Buffer, path: string): void {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  } catch (cause) {
    throw undelivered(`the file cannot be written: ${whyNotWritten(cause)}`, path, cause);
  }
}

function undelivered(what: string, where: string, cause?: unknown): GatekeeperError {
  return new GatekeeperError('GK_EXPORT', { what, where, cause });
}

const LINE: Readonly<Record<Exclude<ExportFormat, 'otlp'>, (entry: LogEntry, origin: ExportOrigin) => string>> = {
  jsonl: ({ line }) => line,
  ocsf: (entry, origin) => JSON.stringify(ocsfEvent(entry, origin)),
  cef: cefLine,
};
