import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** What the collector is to answer; `hang`: nothing at all. */
export type Answer = { status?: number; headers?: Record<string, string>; body?: string; hang?: true };

/** A log that was taken. */
export type TakenLog = {
  event: string;
  severity: number;
  nanoseconds: string;
  body: string;
  attributes: Record<string, unknown>;
};

/**
 * A receiver of OTLP/HTTP on this machine that takes requests as a collector does, and is as strict as the protocol: members and forms as opentelemetry/proto/logs/v1/logs.proto and
 * common.proto have them in the JSON mapping of Protocol Buffers. What it finds wrong is in `faults`.
 */
export class Collector {
  readonly faults: string[] = [];
  readonly requests: {
    headers: IncomingHttpHeaders;
    url: string;
    logs: TakenLog[];
    bytes: number;
    resource: Record<string, unknown>;
  }[] = [];
  /** For the next requests, one each; then everything is taken. */
  readonly answers: Answer[] = [];
  /** Requests that hold more logs are too large. */
  most = Number.POSITIVE_INFINITY;
  readonly #server = createServer((request, response) => void this.#take(request, response));

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** All that was taken, in the order in which it came. */
  get logs(): TakenLog[] {
    return this.requests.flatMap(({ logs }) => logs);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  forget(): void {
    this.requests.length = 0;
    this.faults.length = 0;
    this.answers.length = 0;
    this.most = Number.POSITIVE_INFINITY;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const {
      status = 200,
      headers = {},
      body: said = '{"partialSuccess":{}}',
      hang = false,
    } = this.answers.shift() ?? {};
    if (hang) return;
    const fault = (what: string): void => void this.faults.push(what);
    if (request.method !== 'POST') fault(`method ${request.method}`);
    if (request.headers['content-type'] !== 'application/json') fault('content-type');
    if (request.headers['content-encoding'] !== 'gzip') fault('content-encoding');
    const { logs, resource } = readRequest(JSON.parse(gunzipSync(body).toString()), fault);
    const tooLarge = logs.length > this.most;
    if (status === 200 && !tooLarge)
      this.requests.push({ headers: request.headers, url: request.url ?? '', logs, bytes: body.length, resource });
    response.writeHead(tooLarge ? 413 : status, { 'content-type': 'application/json', ...headers }).end(said);
  }
}

type Fault = (what: string) => void;

function readRequest(value: unknown, fault: Fault): { logs: TakenLog[]; resource: Record<string, unknown> } {
  const logs: TakenLog[] = [];
  let resource: Record<string, unknown> = {};
  for (const resourceLogs of list(members(value, ['resourceLogs'], fault)['resourceLogs'], fault)) {
    const outer = members(resourceLogs, ['resource', 'scopeLogs', 'schemaUrl'], fault);
    resource = attributes(
      members(outer['resource'], ['attributes', 'droppedAttributesCount'], fault)['attributes'],
      fault,
    );
    for (const scopeLogs of list(outer['scopeLogs'], fault)) {
      const inner = members(scopeLogs, ['scope', 'logRecords', 'schemaUrl'], fault);
      members(inner['scope'], ['name', 'version', 'attributes'], fault);
      for (const record of list(inner['logRecords'], fault)) logs.push(readLog(record, fault));
    }
  }
  return { logs, resource };
}

function readLog(value: unknown, fault: Fault): TakenLog {
  const record = members(value, LOG_MEMBERS, fault);
  for (const name of ['timeUnixNano', 'observedTimeUnixNano'])
    if (!isUint64(record[name])) fault(`${name} is ${JSON.stringify(record[name])}`);
  const severity = record['severityNumber'];
  if (!Number.isInteger(severity) || Number(severity) < 1 || Number(severity) > 24) fault(`severityNumber ${severity}`);
  for (const [name, digits] of [
    ['traceId', 32],
    ['spanId', 16],
  ] as const)
    if (record[name] !== undefined && !new RegExp(`^[0-9a-fA-F]{${digits}}$`).test(String(record[name]))) fault(name);
  for (const name of ['severityText', 'eventName']) if (typeof record[name] !== 'string') fault(name);
  return {
    event: String(record['eventName']),
    severity: Number(severity),
    nanoseconds: String(record['timeUnixNano']),
    body: String(anyValue(record['body'], fault)),
    attributes: attributes(record['attributes'], fault),
  };
}

function attributes(value: unknown, fault: Fault): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const entry of list(value, fault)) {
    const { key, value: given } = members(entry, ['key', 'value'], fault);
    if (typeof key !== 'string' || key === '' || Object.hasOwn(out, key)) fault(`key ${JSON.stringify(key)}`);
    out[String(key)] = anyValue(given, fault);
  }
  return out;
}

/** Of what the log holds; numbers of 64 bits are strings in JSON. */
function anyValue(value: unknown, fault: Fault): unknown {
  const found = Object.entries(members(value, ['stringValue', 'boolValue', 'intValue'], fault));
  const [name, given] = found[0] ?? [];
  if (found.length !== 1) fault(`a value with ${found.length} members`);
  if (name === 'stringValue' && typeof given !== 'string') fault('stringValue');
  if (name === 'boolValue' && typeof given !== 'boolean') fault('boolValue');
  if (name !== 'intValue') return given;
  if (typeof given !== 'string' || !/^-?\d{1,19}$/.test(given)) fault(`intValue ${JSON.stringify(given)}`);
  return BigInt(given as string);
}

function members(value: unknown, known: readonly string[], fault: Fault): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fault(`${JSON.stringify(value)} in place of an object`);
    return {};
  }
  for (const name of Object.keys(value)) if (!known.includes(name)) fault(`the member ${name}`);
  return value as Record<string, unknown>;
}

function list(value: unknown, fault: Fault): unknown[] {
  if (Array.isArray(value)) return value;
  fault(`${JSON.stringify(value)} in place of a list`);
  return [];
}

const isUint64 = (value: unknown): boolean =>
  typeof value === 'string' && /^\d{1,20}$/.test(value) && BigInt(value) < 2n ** 64n;
const LOG_MEMBERS = [
  ...[
    'timeUnixNano',
    'observedTimeUnixNano',
    'severityNumber',
    'severityText',
    'body',
    'attributes',
    'droppedAttributesCount',
  ],
  ...['flags', 'traceId', 'spanId', 'eventName'],
];
