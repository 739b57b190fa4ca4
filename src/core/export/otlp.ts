import type { AuditRecord } from '../audit/record.ts';
import { baseName, type Exported, type ExportOrigin, type Gravity, gravityOf, uidOf } from './exported.ts';

/**
 * Entries as one request of the OpenTelemetry protocol for logs (OTLP 1.x, `ExportLogsServiceRequest`) in its JSON form: numbers of 64 bits are strings, enumerations are numbers. Attributes
 * have the names of OpenTelemetry's semantic conventions where there are any, and `gatekeeper.` in front elsewhere. `log.record.original` is the line of the log, which a receiver can check.
 */
export function otlpRequest(entries: readonly Exported[], origin: ExportOrigin): Record<string, unknown> {
  const resource = {
    'service.name': 'gatekeeper',
    'service.version': origin.version,
    'host.name': origin.host,
    'os.type': 'linux',
  };
  return {
    resourceLogs: [
      {
        resource: { attributes: attributes({ ...resource, 'gatekeeper.log': origin.log }) },
        scopeLogs: [
          {
            scope: { name: 'gatekeeper.audit', version: origin.version },
            logRecords: entries.map((entry) => logRecord(entry, origin)),
          },
        ],
      },
    ],
  };
}

function logRecord({ record, line }: Exported, origin: ExportOrigin): Record<string, unknown> {
  const { number, text } = SEVERITY[gravityOf(record)];
  const time = nanoseconds(record.time);
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber: number,
    severityText: text,
    eventName: `gatekeeper.${record.action}`,
    body: { stringValue: bodyOf(record) },
    attributes: attributes({
      'log.record.uid': uidOf(origin, record),
      ...conventional(record),
      ...own(record),
      'log.record.original': line,
    }),
  };
}

type Values = Record<string, string | number | boolean | undefined>;

function attributes(values: Values): object[] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ({ key, value: anyValue(value!) }));
}

function anyValue(value: string | number | boolean): object {
  if (typeof value === 'string') return { stringValue: value };
  return typeof value === 'boolean' ? { boolValue: value } : { intValue: String(value) };
}

function conventional(record: AuditRecord): Values {
  const { action, program, pid, tid, target, target2, destination, address, port, method, path, via, result, command } =
    record;
  const isFile = action.startsWith('file_') || action === 'unix_socket';
  const connects = action === 'network' || action === 'connection_closed';
  const request = via === 'inspect' ? 'https' : 'http';
  return {
    'thread.id': tid,
    ...under('process', {
      pid,
      'executable.path': program,
      'executable.name': program && baseName(program),
      command_line: command,
    }),
    'file.path': isFile ? (target2 ?? target) : undefined,
    'file.name': isFile ? baseName(target2 ?? target ?? '') || undefined : undefined,
    'dns.question.name': via === 'dns' ? destination : undefined,
    'server.address': connects && via !== 'dns' ? destination : undefined,
    'server.port': connects && via !== 'dns' ? port : undefined,
    'network.peer.address': connects ? address : undefined,
    'network.transport': connects ? 'tcp' : undefined,
    'http.request.method': method,
    'url.scheme': method === undefined ? undefined : request,
    'url.path': path,
    'error.type': result === undefined || result === 'ok' ? undefined : result,
  };
}

/** Everything of the entry, by its own names. */
function own(record: AuditRecord): Values {
  return Object.fromEntries(
    Object.entries(record)
      .filter(([name]) => !CARRIED.has(name))
      .map(([name, value]) => [`gatekeeper.${snake(name)}`, value]),
  );
}

function bodyOf({ action, verdict, command, target, target2, destination, port, text }: AuditRecord): string {
  const place = destination === undefined || port === undefined ? destination : `${destination}:${port}`;
  const what = place ?? command ?? (target2 === undefined ? target : `${target} → ${target2}`) ?? text;
  return [verdict, action, what].filter((part) => part !== undefined).join(' ');
}

/** Milliseconds of the log as nanoseconds, which a number could not hold. */
function nanoseconds(time: string): string {
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? '0' : `${BigInt(ms) * 1_000_000n}`;
}

const under = (prefix: string, values: Values): Values =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}.${name}`, value]));

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const SEVERITY: Readonly<Record<Gravity, { number: number; text: string }>> = {
  plain: { number: 9, text: 'INFO' },
  notable: { number: 10, text: 'INFO2' },
  refused: { number: 13, text: 'WARN' },
  loss: { number: 17, text: 'ERROR' },
};
/** Elsewhere already, under another name. */
const CARRIED: ReadonlySet<string> = new Set([
  ...['address', 'command', 'destination', 'method', 'path', 'pid', 'port', 'program', 'result', 'tid', 'time', 'v'],
]);
