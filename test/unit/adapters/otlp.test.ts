import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type OtlpEndpoint, otlpEndpoint } from '../../../src/adapters/otlp/endpoint.ts';
import { readCursor, writeCursor } from '../../../src/adapters/otlp/export-cursor.ts';
import { sendLogs } from '../../../src/adapters/otlp/send-logs.ts';
import type { AuditRecord } from '../../../src/core/audit/record.ts';
import { otlpRequest } from '../../../src/core/export/otlp.ts';
import { Collector } from '../../support/servers/collector.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const origin = { log: 'ab'.repeat(16), host: 'machine', version: '0.0.0' };
const request = otlpRequest(
  [{ record: { action: 'note', seq: 1, time: '2026-11-21T06:00:00.123Z' } as AuditRecord, line: '{}' }],
  origin,
);
const patience = { giveUpMs: 10_000, firstDelayMs: 1 };
const collector = new Collector();
let endpoint: OtlpEndpoint;

beforeAll(async () => {
  await collector.start();
  endpoint = otlpEndpoint({ to: collector.url, env: {} })!;
});
beforeEach(() => collector.forget());
afterAll(() => collector.close());

describe('a request', () => {
  it('is taken, at the path for logs', async () => {
    expect(await sendLogs(request, endpoint, patience)).toEqual({ kind: 'taken', rejected: 0, message: '' });
    expect(collector.requests.map(({ url }) => url)).toEqual(['/v1/logs']);
    expect(collector.faults).toEqual([]);
  });

  it.each([429, 502, 503, 504])('is sent again after %i', async (status) => {
    const waits: string[] = [];
    collector.answers.push({ status }, { status, headers: { 'retry-after': '0' } });
    const sent = await sendLogs(request, endpoint, { ...patience, waits: (why) => waits.push(why) });
    expect(sent.kind).toBe('taken');
    expect(waits).toEqual([expect.stringContaining(`${status}`), expect.stringContaining(`${status}`)]);
  });

  it('waits as long as the receiver asks for', async () => {
    const waited: number[] = [];
    collector.answers.push({ status: 503, headers: { 'retry-after': '7' } });
    const sent = await sendLogs(request, endpoint, { ...patience, giveUpMs: 5000, waits: (_, ms) => waited.push(ms) });
    expect(sent).toEqual({ kind: 'given-up', why: '503 Service Unavailable' });
    collector.answers.push({ status: 503, headers: { 'retry-after': new Date(Date.now() - 1000).toUTCString() } });
    await sendLogs(request, endpoint, { ...patience, waits: (_, ms) => waited.push(ms) });
    expect(waited).toEqual([0]);
  });

  it.each([400, 401, 404, 500])('is not sent again after %i, and what the receiver says is told', async (status) => {
    collector.answers.push({ status, body: '{"code":3,"message":"no"}' });
    expect(await sendLogs(request, endpoint, patience)).toEqual({
      kind: 'refused',
      why: expect.stringMatching(`^${status} .*: no$`),
    });
    expect(collector.requests).toEqual([]);
  });

  it('goes to nobody else where the receiver sends it on', async () => {
    collector.answers.push({ status: 307, headers: { location: `${collector.url}/elsewhere` } });
    expect(await sendLogs(request, endpoint, patience)).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('307'),
    });
    expect(collector.requests).toEqual([]);
  });

  it('that is partly taken says how much was not', async () => {
    collector.answers.push({ body: '{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too old"}}' });
    expect(await sendLogs(request, endpoint, patience)).toEqual({ kind: 'taken', rejected: 1, message: 'too old' });
  });

  it('that nobody answers in time is sent again, and given up in the end', async () => {
    collector.answers.push({ hang: true });
    expect((await sendLogs(request, { ...endpoint, timeoutMs: 300 }, patience)).kind).toBe('taken');
    const nobody = otlpEndpoint({ to: 'http://127.0.0.1:1', env: {} })!;
    expect(await sendLogs(request, nobody, { ...patience, giveUpMs: 20 })).toEqual({
      kind: 'given-up',
      why: expect.any(String),
    });
  });

  it('ends at once when it is interrupted', async () => {
    const stop = new AbortController();
    collector.answers.push({ status: 503, headers: { 'retry-after': '100' } });
    const patient = { ...patience, giveUpMs: Number.POSITIVE_INFINITY, signal: stop.signal, waits: () => stop.abort() };
    expect((await sendLogs(request, endpoint, patient)).kind).toBe('given-up');
  });
});

describe('the place to send to', () => {
  it.each([
    ['a collector', { to: 'http://127.0.0.1:4318', env: {} }, 'http://127.0.0.1:4318/v1/logs'],
    ['a path of its own', { to: 'https://logs.example/in', env: {} }, 'https://logs.example/in'],
    [
      'the variable for all signals',
      { env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a.example/x/' } },
      'http://a.example/x/v1/logs',
    ],
    [
      'the variable for logs',
      { env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://b/l' } },
      'http://b/l',
    ],
    [
      'the command line first',
      { to: 'http://c', env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a' } },
      'http://c/v1/logs',
    ],
  ])('is %s', (_name, choice, expected) => {
    expect(otlpEndpoint(choice)?.url.href).toBe(expected);
  });

  it('is nowhere unless somebody names it', () => {
    expect(otlpEndpoint({ env: {} })).toBeUndefined();
  });

  it('gets headers from variables, a file and the command line, the later before the earlier', () => {
    const headerFile = join(temporaryDirectory(), 'headers');
    writeFileSync(headerFile, '# for the collector\nX-Two: 2\nauthorization=Bearer a=b\n');
    const env = { OTEL_EXPORTER_OTLP_HEADERS: 'x-one=1%201,x-two=0' };
    const { headers } = otlpEndpoint({ to: 'http://c', headers: ['x-three=3'], headerFile, env })!;
    expect(headers).toEqual({ 'x-one': '1 1', 'x-two': '2', 'x-three': '3', authorization: 'Bearer a=b' });
  });

  it.each([
    ['no URL', { to: 'collector' }],
    ['another protocol', { to: 'ftp://a' }],
    ['a password', { to: 'http://me:hunter2@a' }],
    ['a header without a name', { to: 'http://a', headers: ['hunter2'] }],
    ['a header that would be two', { to: 'http://a', headers: ['a=hunter2\r\nb: c'] }],
    ['a broken escape', { to: 'http://a', env: { OTEL_EXPORTER_OTLP_HEADERS: 'a=hunter2%zz' } }],
  ])('is refused with %s, without telling secrets', (_name, choice) => {
    let failure: unknown;
    try {
      otlpEndpoint({ env: {}, ...choice });
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ code: 'GK_USAGE' });
    expect(JSON.stringify([failure, String(failure)])).not.toContain('hunter2');
  });
});

it('the cursor is there as a whole or not at all, and nothing else is taken for one', () => {
  const path = join(temporaryDirectory(), 'new', 'cursor');
  expect(readCursor(path)).toBeUndefined();
  writeCursor(path, { log: 'a', seq: 7 });
  expect(readCursor(path)).toEqual({ log: 'a', seq: 7 });
  writeFileSync(path, '{"version":2}');
  expect(() => readCursor(path)).toThrow(expect.objectContaining({ code: 'GK_EXPORT' }));
});
