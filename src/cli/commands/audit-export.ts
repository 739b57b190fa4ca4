import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { type EntryBatch, followEntries, logIdentity, placeOf, readEntries } from '../../adapters/audit-log/entries.ts';
import { type OtlpEndpoint, otlpEndpoint } from '../../adapters/otlp/endpoint.ts';
import { readCursor, writeCursor } from '../../adapters/otlp/export-cursor.ts';
import type { EntryFilter } from '../../core/audit/entry-filter.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import type { ExportOrigin } from '../../core/export/exported.ts';
import { VERSION } from '../../core/version.ts';
import { auditDirectory } from '../audit-directory.ts';
import { type EntryOptions, wantedEntries } from '../entry-options.ts';
import type { ExportFormat } from '../export-formats.ts';
import { fileSink, otlpSink, type Sink } from '../export-sink.ts';
import { ownHome } from '../home.ts';
import { untilInterrupted } from '../interrupted.ts';
import { ProgressLine } from '../render/progress-line.ts';
import { tellUser } from '../render/tell-user.ts';

export type ExportOptions = EntryOptions & {
  format?: ExportFormat;
  output?: string;
  to?: string;
  header?: string[];
  headerFile?: string;
  follow?: boolean;
  cursor?: string;
  log?: string;
};

/** Passes entries on in another program's form. Exits 1 when something of the log is no entry, or a receiver rejected some. */
export async function auditExport(options: ExportOptions): Promise<number> {
  const { format = 'jsonl', follow = false } = options;
  const directory = auditDirectory(options.log);
  const endpoint = endpointFor(format, options);
  const identity = logIdentity(directory);
  const origin: ExportOrigin = { log: identity.log ?? 'unknown', host: hostname(), version: VERSION };
  const cursor = options.cursor ?? (follow && endpoint ? defaultCursor(origin, endpoint) : undefined);
  const after = cursor === undefined ? 0 : startAfter(cursor, identity);
  const filter = beyond(wantedEntries(directory, options), after);
  const signal = follow ? untilInterrupted() : undefined;
  const sink = openSink(format, options, origin, endpoint, { signal, append: cursor !== undefined });
  const place = after > 0 ? placeOf(directory, after + 1) : undefined;
  const batches = signal
    ? followEntries(directory, filter, place ?? { segment: 0, offset: 0 }, signal)
    : readEntries(directory, filter, place);
  const taken = (seq: number): void => {
    if (cursor !== undefined) writeCursor(cursor, { log: origin.log, seq });
  };
  return await passOn(batches, sink, taken);
}

async function passOn(
  batches: AsyncIterable<EntryBatch> | Iterable<EntryBatch>,
  sink: Sink,
  taken: (seq: number) => void,
): Promise<number> {
  const counts = { read: 0, sent: 0, strange: 0 };
  const progress = new ProgressLine();
  try {
    reading: for await (const { entries, lines, strange } of batches) {
      counts.read += lines;
      counts.strange += strange;
      for (let at = 0; at < entries.length; at += AT_ONCE) {
        const some = entries.slice(at, at + AT_ONCE);
        if (!(await sink.put(some))) break reading;
        counts.sent += some.length;
        taken(some.at(-1)!.record.seq);
        progress.update(() => `${counts.sent} entries to ${sink.name}`);
      }
      progress.update(() => `${counts.sent} of ${counts.read} entries to ${sink.name}`);
    }
  } finally {
    progress.clear();
    sink.close();
    tellUser(`gatekeeper: ${summary(counts, sink)}`);
  }
  return counts.strange > 0 || sink.rejected() > 0 ? 1 : 0;
}

function summary({ sent, strange }: { sent: number; strange: number }, sink: Sink): string {
  const parts = [`${sent} ${sent === 1 ? 'entry' : 'entries'} to ${sink.name}`];
  if (sink.rejected() > 0) parts.push(`${sink.rejected()} of them rejected there`);
  if (strange > 0)
    parts.push(
      `${strange} ${strange === 1 ? 'line is no entry' : 'lines are no entries'}, see: gatekeeper audit verify`,
    );
  return parts.join('; ');
}

function endpointFor(
  format: ExportFormat,
  { to, output, header, headerFile }: ExportOptions,
): OtlpEndpoint | undefined {
  const isSent = format === 'otlp' && output === undefined;
  if (!isSent && (header !== undefined || headerFile !== undefined)) {
    throw new GatekeeperError('GK_USAGE', {
      what: 'headers go to a collector, and nothing is sent to one',
      remedy: 'add --format otlp --to URL, or leave the headers out',
    });
  }
  if (format !== 'otlp') {
    if (to === undefined) return undefined;
    throw new GatekeeperError('GK_USAGE', {
      what: `--to sends by the protocol of OpenTelemetry, and the format is ${format}`,
      remedy: 'add --format otlp, or write to a file: -o FILE',
    });
  }
  if (output !== undefined) return undefined;
  const endpoint = otlpEndpoint({ to, headers: header, headerFile, env: process.env });
  const { protocol = '', hostname: host = '' } = endpoint?.url ?? {};
  if (protocol === 'http:' && !LOOPBACK.test(host))
    tellUser(`gatekeeper: entries and headers go to ${host} in the clear: https would protect them`);
  return endpoint;
}

function openSink(
  format: ExportFormat,
  { output }: ExportOptions,
  origin: ExportOrigin,
  endpoint: OtlpEndpoint | undefined,
  { signal, append }: { signal: AbortSignal | undefined; append: boolean },
): Sink {
  if (!endpoint) return fileSink(format, origin, output, append);
  const warn = (text: string): void => tellUser(`gatekeeper: ${text}`);
  const waits = (why: string, ms: number): void =>
    warn(`${endpoint.url.host} does not take entries (${why}): again in ${(ms / 1000).toFixed(1)}s`);
  const giveUpMs = signal ? Number.POSITIVE_INFINITY : GIVE_UP_MS;
  return otlpSink(origin, endpoint, { giveUpMs, firstDelayMs: FIRST_DELAY_MS, signal, waits }, warn);
}

/** Up to which entry the receiver has everything. A log that began anew is sent from its first entry on. */
function startAfter(path: string, { log, first }: ReturnType<typeof logIdentity>): number {
  const cursor = readCursor(path);
  if (!cursor) return 0;
  if (cursor.log !== log) {
    tellUser('gatekeeper: the log is another one than the cursor tells of: it is sent from its beginning');
    return 0;
  }
  if (first !== undefined && first > cursor.seq + 1)
    tellUser(`gatekeeper: entries ${cursor.seq + 1} to ${first - 1} were removed from the log before they were sent`);
  return cursor.seq;
}

function beyond(filter: EntryFilter, after: number): EntryFilter {
  return after === 0 ? filter : { ...filter, matches: (record) => record.seq > after && filter.matches(record) };
}

/** One for each receiver and log. */
function defaultCursor({ log }: ExportOrigin, { url }: OtlpEndpoint): string {
  const name = createHash('sha256').update(`${url.href}\n${log}`).digest('hex').slice(0, 16);
  return `${ownHome().state}/export/${name}.json`;
}

const AT_ONCE = 500;
const GIVE_UP_MS = 60_000;
const FIRST_DELAY_MS = 1000;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
